// An eye that looks where it is told, and the way from a pointer on it to degrees; what both gaze pads share.
import { shares } from "./pad.js";

export const LIMIT = 60; // degrees, as the widgets have it
export const STEP = 0.5;
const HALF = [0.42, 0.36]; // the eye's half width and height, as shares of the canvas

/** Pad position (x right, y down, each -1..1) of a gaze in degrees: positive yaw looks to the picture's left. */
export function toPad(pitch, yaw) {
  return [-yaw / LIMIT, -pitch / LIMIT];
}

/** Gaze in degrees, on the widgets' steps, of a pad position. */
export function toGaze(x, y) {
  const degrees = (value) => {
    const inside = Math.max(-1, Math.min(1, value)) * LIMIT;
    return -Math.round(inside / STEP) * STEP || 0;
  };
  return { pitch: degrees(y), yaw: degrees(x) };
}

/** Where in a picture of an eye, in pixels, it looks. */
export function irisAt(width, height, pitch, yaw) {
  const [x, y] = toPad(pitch, yaw);
  return [width * (0.5 + HALF[0] * x), height * (0.5 + HALF[1] * y)];
}

/** Gaze that a pointer on a canvas means. */
export function pointed(canvas, event) {
  const [across, down] = shares(canvas, event);
  return toGaze((across - 0.5) / HALF[0], (down - 0.5) / HALF[1]);
}

/** Draws an eye that looks in a direction, its lids following a little. */
export function drawEye(context, width, height, pitch, yaw) {
  const y = toPad(pitch, yaw)[1];
  const middle = [width / 2, height / 2];
  const half = [width * HALF[0], height * HALF[1]];
  context.clearRect(0, 0, width, height);
  context.fillStyle = "#20242a";
  context.fillRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.moveTo(middle[0] - half[0], middle[1]);
  context.quadraticCurveTo(middle[0], middle[1] - 2 * half[1] * (1 - 0.25 * y), middle[0] + half[0], middle[1]);
  context.quadraticCurveTo(middle[0], middle[1] + 2 * half[1] * (1 + 0.1 * y), middle[0] - half[0], middle[1]);
  context.closePath();
  context.fillStyle = "#f2efe9";
  context.fill();
  context.clip();
  for (const [share, colour] of [[1, "#3f7d9c"], [0.5, "#10151a"]]) {
    context.beginPath();
    context.arc(...irisAt(width, height, pitch, yaw), height * 0.2 * share, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }
  context.restore();
}
