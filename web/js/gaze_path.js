// An eye and a time line on Gaze Path: scrub, drag the iris to set a key, drag keys in time, add and remove them.
// It only writes the keys widget's text, so that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";
import * as eye from "./eye.js";
import { EASES, formatKeys, gazeAt, keyAt, moveKey, onFrame, parseKeys, setKey } from "./gaze_keys.js";

const NODE = "GoHDGazePath";
const HEIGHT = 236; // pixels
const EDGE = 10; // pixels beside the time line
const GRIP = 8; // pixels around a key
const COLOURS = { pitch: "#e0a458", yaw: "#58a6c9", key: "#f2efe9", chosen: "#ff6b57", trail: "#c0603f99" };

function build(node) {
  const [text, duration] = ["keys", "duration"].map((name) => node.widgets?.find((w) => w.name === name));
  if (!text || !duration || !node.addDOMWidget) return; // another front end: the plain widgets do
  let path = null; // what the text says
  let problem = "";
  let now = 0; // seconds; where the eye is drawn
  let playing = 0; // an animation frame's number
  let held = -1; // the key that is dragged
  let shown = 0; // seconds on the line while it is dragged: the scale must not move under the pointer

  const end = () => Math.max(path.keys.at(-1).time, duration.value || 0);
  const range = () => shown || Math.max(1, 1.2 * end());
  const across = (time, width) => EDGE + ((width - 2 * EDGE) * time) / range();
  const timeAt = (event) => {
    const width = line.clientWidth;
    return Math.max(0, ((eye.shares(line, event)[0] * width - EDGE) / (width - 2 * EDGE)) * range());
  };

  const picture = eye.padCanvas(
    "gohd-gaze-path-eye", "Drag the iris: sets the key at this time, or makes one.",
    (context, width, height) => {
      if (!path) {
        eye.drawEye(context, width, height, 0, 0);
        eye.caption(context, height, problem, COLOURS.chosen);
        return;
      }
      const { pitch, yaw } = gazeAt(path.keys, now);
      eye.drawEye(context, width, height, pitch, yaw);
      drawTrail(context, width, height);
      const [up, left] = [pitch, yaw].map((value) => Math.round(value * 10) / 10);
      eye.caption(context, height, `${now.toFixed(2)} s   pitch ${up}°   yaw ${left}°`);
    });
  const line = eye.padCanvas(
    "gohd-gaze-path-line", "Press to scrub, drag a key to move it; double-click adds a key, or removes one.",
    (context, width, height) => {
      context.fillStyle = "#181b20";
      context.fillRect(0, 0, width, height);
      if (!path) return;
      drawCurves(context, width, height);
      drawKeys(context, width, height);
    });

  function drawTrail(context, width, height) {
    const last = path.keys.at(-1).time;
    context.beginPath();
    for (let k = 0; k <= 120; k++) {
      const gaze = gazeAt(path.keys, (last * k) / 120);
      context.lineTo(...eye.irisAt(width, height, gaze.pitch, gaze.yaw));
    }
    context.strokeStyle = COLOURS.trail;
    context.stroke();
    for (const { pitch, yaw } of path.keys) dot(context, ...eye.irisAt(width, height, pitch, yaw), 3, COLOURS.chosen);
  }

  function drawCurves(context, width, height) {
    for (const name of ["pitch", "yaw"]) {
      context.beginPath();
      for (let x = EDGE; x <= width - EDGE; x++) {
        const value = gazeAt(path.keys, ((x - EDGE) / (width - 2 * EDGE)) * range())[name];
        context.lineTo(x, height * (0.42 - (0.36 * value) / eye.LIMIT));
      }
      context.strokeStyle = COLOURS[name];
      context.stroke();
    }
    context.font = "10px sans-serif";
    for (const [k, name] of ["pitch", "yaw"].entries()) {
      context.fillStyle = COLOURS[name];
      context.fillText(name, EDGE + 36 * k, 11);
    }
    context.fillStyle = "#ffffff14"; // what comes after the end
    context.fillRect(across(end(), width), 0, width, height);
  }

  function drawKeys(context, width, height) {
    context.fillStyle = COLOURS.chosen;
    context.fillRect(across(now, width) - 0.5, 0, 1, height);
    const chosen = keyAt(path.keys, now);
    for (const [k, key] of path.keys.entries()) {
      dot(context, across(key.time, width), height - 11, 5, k === chosen ? COLOURS.chosen : COLOURS.key);
    }
  }

  const redraw = () => {
    picture.redraw();
    line.redraw();
    const chosen = path ? keyAt(path.keys, now) : -1;
    buttons.remove.disabled = chosen < 0 || path.keys.length < 2;
    buttons.ease.disabled = chosen < 0;
    buttons.add.disabled = !path || chosen >= 0;
    buttons.ease.textContent = chosen < 0 ? "ease" : path.keys[chosen].ease;
  };
  const read = () => {
    try {
      [path, problem] = [parseKeys(String(text.value)), ""];
    } catch (error) {
      [path, problem] = [null, error.message];
    }
    redraw();
  };
  const write = () => {
    eye.setWidget(text, formatKeys(path)); // its callback reads it again
    node.graph?.setDirtyCanvas(true, true);
  };
  const scrub = (time) => {
    now = Math.min(onFrame(time), onFrame(range()));
    redraw();
  };
  const add = () => {
    setKey(path.keys, now, rounded(gazeAt(path.keys, now)));
    write();
  };
  const remove = (index) => {
    if (index < 0 || path.keys.length < 2) return;
    const [gone] = path.keys.splice(index, 1);
    const next = path.keys[index];
    if (next) next.above = [...gone.above, ...next.above];
    else path.below = [...gone.above, ...path.below];
    write();
  };
  const changeEase = () => {
    const key = path.keys[keyAt(path.keys, now)];
    key.ease = EASES[(EASES.indexOf(key.ease) + 1) % EASES.length];
    write();
  };
  const play = () => {
    if (playing) {
      playing = cancelAnimationFrame(playing) ?? 0;
      return;
    }
    const started = performance.now();
    const step = (at) => {
      scrub(Math.max(0, at - started) / 1000);
      playing = path && now < end() && picture.isConnected ? requestAnimationFrame(step) : 0;
    };
    playing = path ? requestAnimationFrame(step) : 0;
  };

  const nearest = (event) => {
    const width = line.clientWidth, at = across(timeAt(event), width);
    return path.keys.findIndex((key) => Math.abs(across(key.time, width) - at) <= GRIP);
  };
  eye.onDrag(line, (event) => {
    if (!path) return;
    shown = range();
    held = nearest(event);
    scrub(held >= 0 ? path.keys[held].time : timeAt(event));
  }, (event) => {
    if (!path) return;
    if (held < 0) {
      scrub(timeAt(event));
      return;
    }
    moveKey(path.keys, held, timeAt(event));
    now = path.keys[held].time;
    write();
  }, () => {
    [held, shown] = [-1, 0];
    redraw();
  });
  line.addEventListener("dblclick", (event) => {
    if (!path) return;
    const found = nearest(event);
    if (found >= 0) remove(found);
    else add();
  });
  const look = (event) => {
    if (!path) return;
    setKey(path.keys, now, eye.pointed(picture, event));
    write();
  };
  eye.onDrag(picture, look, look);

  const buttons = {
    play: button("play", "▶", "Play or stop.", play),
    add: button("add", "+ key", "Adds a key at this time.", add),
    remove: button("remove", "− key", "Removes the key at this time.", () => remove(keyAt(path.keys, now))),
    ease: button("ease", "ease", "How the path goes on from this key: smooth, linear or hold.", changeEase),
  };
  picture.style.cursor = "crosshair";
  Object.assign(picture.style, { height: "55%" });
  Object.assign(line.style, { height: "31%", marginTop: "4px" });
  const row = document.createElement("div");
  Object.assign(row.style, { display: "flex", gap: "4px", marginTop: "4px" });
  row.append(...Object.values(buttons));
  const pad = document.createElement("div");
  pad.className = "gohd-gaze-path";
  pad.append(picture, line, row);
  eye.onChange(node, [text, duration], read);
  (text.element ?? text.inputEl)?.addEventListener("input", read);
  eye.addPad(node, "gaze_path", pad, HEIGHT);
  node.setSize?.([Math.max(node.size[0], 400), node.computeSize()[1] + 60]); // room for five keys' text
  read();
}

const rounded = ({ pitch, yaw }) => ({ pitch: Math.round(pitch / eye.STEP) * eye.STEP || 0,
  yaw: Math.round(yaw / eye.STEP) * eye.STEP || 0 });

function dot(context, x, y, radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

function button(name, label, title, pressed) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: label, title, className: `gohd-${name}` });
  Object.assign(made.style, { flex: "1", fontSize: "11px", padding: "2px", cursor: "pointer" });
  made.addEventListener("click", pressed);
  return made;
}

app.registerExtension({
  name: "GoHD.GazePath",
  nodeCreated(node) {
    if (node.comfyClass === NODE) build(node);
  },
});
