// A pad on Set Gaze: drag the iris to where the eyes should look. It only turns the pitch and yaw widgets, so
// that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";
import { drawEye, pointed } from "./eye.js";
import { addPad, caption, onChange, onDrag, padCanvas, setWidget } from "./pad.js";
import { word } from "./words.js";

const NODE = "GoHDSetGaze";
const HEIGHT = 130; // pixels

function build(node) {
  const [pitch, yaw] = ["pitch", "yaw"].map((name) => node.widgets?.find((widget) => widget.name === name));
  if (!pitch || !yaw) return; // another front end than we know: the plain widgets do
  const canvas = padCanvas("gohd-gaze-pad", "drag_gaze", (context, width, height) => {
    drawEye(context, width, height, pitch.value, yaw.value);
    caption(context, height, `${word("pitch")} ${pitch.value}°   ${word("yaw")} ${yaw.value}°`);
  });
  canvas.style.cursor = "crosshair";
  const set = (gaze) => {
    setWidget(pitch, gaze.pitch);
    setWidget(yaw, gaze.yaw);
    node.graph?.setDirtyCanvas(true, true);
  };
  const follow = (event) => set(pointed(canvas, event));
  onDrag(canvas, follow, follow);
  canvas.addEventListener("dblclick", () => set({ pitch: 0, yaw: 0 }));
  onChange(node, [pitch, yaw], canvas.redraw);
  addPad(node, "gaze_pad", canvas, HEIGHT);
  node.setSize?.([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
}

app.registerExtension({
  name: "GoHD.GazePad",
  nodeCreated(node) {
    if (node.comfyClass === NODE) build(node);
  },
});
