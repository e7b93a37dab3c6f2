// A pad on Set Gaze: drag the iris to where the eyes should look. It only turns the pitch and yaw widgets, so
// that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";

const NODE = "GoHDSetGaze";
const SIZE = [220, 130]; // pixels
const LIMIT = 60; // degrees, as the widgets have it
const STEP = 0.5;

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

/** Draws an eye that looks in a direction, its lids following a little. */
export function drawEye(context, width, height, pitch, yaw) {
  const [x, y] = toPad(pitch, yaw);
  const middle = [width / 2, height / 2];
  const half = [width * 0.42, height * 0.36];
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
  const iris = [middle[0] + x * half[0], middle[1] + y * half[1]];
  const radius = height * 0.2;
  for (const [share, colour] of [[1, "#3f7d9c"], [0.5, "#10151a"]]) {
    context.beginPath();
    context.arc(iris[0], iris[1], radius * share, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  }
  context.restore();
  context.fillStyle = "#aab2bd";
  context.font = "11px sans-serif";
  context.fillText(`pitch ${pitch}°   yaw ${yaw}°`, 8, height - 8);
}

function addPad(node) {
  const pitch = node.widgets?.find((widget) => widget.name === "pitch");
  const yaw = node.widgets?.find((widget) => widget.name === "yaw");
  if (!pitch || !yaw) return; // another front end than we know: the plain widgets do
  const canvas = document.createElement("canvas");
  Object.assign(canvas.style, { width: "100%", height: "100%", cursor: "crosshair", borderRadius: "6px" });
  canvas.className = "gohd-gaze-pad";
  canvas.title = "Drag to where the eyes should look; double-click looks ahead.";
  const context = canvas.getContext("2d");
  const draw = () => {
    // As many pixels as it is shown with, or the eye would be drawn stretched.
    [canvas.width, canvas.height] = [canvas.clientWidth || SIZE[0], canvas.clientHeight || SIZE[1]];
    drawEye(context, canvas.width, canvas.height, pitch.value, yaw.value);
  };
  new ResizeObserver(draw).observe(canvas);
  const set = (gaze) => {
    for (const widget of [pitch, yaw]) {
      widget.value = gaze[widget.name];
      widget.callback?.(widget.value);
    }
    draw();
    node.graph?.setDirtyCanvas(true, true);
  };
  const follow = (event) => {
    const box = canvas.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width, down = (event.clientY - box.top) / box.height;
    set(toGaze((across - 0.5) / 0.42, (down - 0.5) / 0.36));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    follow(event);
    event.stopPropagation();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  canvas.addEventListener("dblclick", () => set({ pitch: 0, yaw: 0 }));
  for (const widget of [pitch, yaw]) {
    const before = widget.callback;
    widget.callback = function (...given) {
      const answer = before?.apply(this, given);
      draw();
      return answer;
    };
  }
  const pad = node.addDOMWidget("gaze_pad", "GOHD_GAZE_PAD", canvas, {
    serialize: false,
    getMinHeight: () => SIZE[1],
    getMaxHeight: () => SIZE[1],
  });
  pad.serialize = false; // widgets are saved by position: the pad must not take one
  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    configured?.apply(this, given);
    draw();
  };
  draw();
}

app.registerExtension({
  name: "GoHD.GazePad",
  nodeCreated(node) {
    if (node.comfyClass === NODE) addPad(node);
  },
});
