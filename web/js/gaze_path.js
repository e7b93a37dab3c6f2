// An eye and a time line on Gaze Path: scrub, drag the iris to set a key, drag keys in time, add and remove them.
// It only writes the keys widget's text, so that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";
import { drawEye, irisAt, LIMIT, pointed, STEP } from "./eye.js";
import { formatKeys, gazeAt, parseKeys } from "./gaze_keys.js";
import { setKey } from "./keys.js";
import { addPad, caption, onChange, onDrag, padCanvas, setWidget } from "./pad.js";
import { timeLine } from "./time_line.js";
import { word } from "./words.js";

const NODE = "GoHDGazePath";
const HEIGHT = 236; // pixels
const COLOURS = { pitch: "#e0a458", yaw: "#58a6c9", problem: "#ff6b57", key: "#ff6b57", trail: "#c0603f99" };

function build(node) {
  const [text, duration] = ["keys", "duration"].map((name) => node.widgets?.find((w) => w.name === name));
  if (!text || !duration || !node.addDOMWidget) return; // another front end: the plain widgets do
  let path = null; // what the text says
  let problem = "";

  const picture = padCanvas(
    "gohd-gaze-path-eye", "drag_iris",
    (context, width, height) => {
      if (!path) {
        drawEye(context, width, height, 0, 0);
        caption(context, height, problem, COLOURS.problem);
        return;
      }
      const { pitch, yaw } = gazeAt(path.keys, line.now());
      drawEye(context, width, height, pitch, yaw);
      drawTrail(context, width, height);
      const [up, left] = [pitch, yaw].map((value) => Math.round(value * 10) / 10);
      caption(context, height, `${line.now().toFixed(2)} s   ${word("pitch")} ${up}°   ${word("yaw")} ${left}°`);
    });

  function drawTrail(context, width, height) {
    const last = path.keys.at(-1).time;
    context.beginPath();
    for (let k = 0; k <= 120; k++) {
      const gaze = gazeAt(path.keys, (last * k) / 120);
      context.lineTo(...irisAt(width, height, gaze.pitch, gaze.yaw));
    }
    context.strokeStyle = COLOURS.trail;
    context.stroke();
    context.fillStyle = COLOURS.key;
    for (const { pitch, yaw } of path.keys) {
      context.beginPath();
      context.arc(...irisAt(width, height, pitch, yaw), 3, 0, 2 * Math.PI);
      context.fill();
    }
  }

  const curve = (name) => ({ colour: COLOURS[name], label: () => word(name),
    share: (time) => 0.5 + (0.5 * gazeAt(path.keys, time)[name]) / LIMIT });
  const line = timeLine({
    path: () => path, end: () => Math.max(path?.keys.at(-1).time ?? 0, duration.value || 0),
    curves: [curve("pitch"), curve("yaw")], scrubbed: () => picture.redraw(),
    add: (time) => set(time, rounded(gazeAt(path.keys, time))), changed: () => write(),
  });

  const read = () => {
    try {
      [path, problem] = [parseKeys(String(text.value)), ""];
    } catch (error) {
      [path, problem] = [null, error.message];
    }
    picture.redraw();
    line.redraw();
  };
  const write = () => {
    setWidget(text, formatKeys(path)); // its callback reads it again
    node.graph?.setDirtyCanvas(true, true);
  };
  const set = (time, gaze) => {
    setKey(path.keys, time, gaze);
    write();
  };
  const look = (event) => path && set(line.now(), pointed(picture, event));
  onDrag(picture, look, look);

  picture.style.cursor = "crosshair";
  Object.assign(picture.style, { height: "55%" });
  Object.assign(line.line.style, { height: "31%", marginTop: "4px" });
  const pad = document.createElement("div");
  pad.className = "gohd-gaze-path";
  pad.append(picture, line.line, line.buttons);
  onChange(node, [text, duration], read);
  (text.element ?? text.inputEl)?.addEventListener("input", read);
  addPad(node, "gaze_path", pad, HEIGHT);
  node.setSize?.([Math.max(node.size[0], 400), node.computeSize()[1] + 60]); // room for five keys' text
  read();
}

const rounded = ({ pitch, yaw }) => ({ pitch: Math.round(pitch / STEP) * STEP || 0,
  yaw: Math.round(yaw / STEP) * STEP || 0 });

app.registerExtension({
  name: "GoHD.GazePath",
  nodeCreated(node) {
    if (node.comfyClass === NODE) build(node);
  },
});
