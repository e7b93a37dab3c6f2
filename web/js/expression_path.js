// The portrait, sliders for the key that is chosen, and a time line on Expression Path.
// It only writes the keys widget's text, so that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";
import { faceAt, formatFaces, parseFaces } from "./expression_keys.js";
import { presetRow } from "./face_presets.js";
import { facePreview, mirrored, used } from "./face_preview.js";
import { sliderList, sliders } from "./face_sliders.js";
import { setKey } from "./keys.js";
import { addPad, button, onChange, row, setWidget } from "./pad.js";
import { timeLine } from "./time_line.js";

const NODE = "GoHDExpressionPath";
const HEIGHT = 620; // pixels
const LIST = 168; // of the sliders

function build(node) {
  const text = node.widgets?.find((widget) => widget.name === "keys");
  const { controls, moods, amount } = sliders();
  if (!text || !node.addDOMWidget) return; // another front end: the plain widget does
  const known = { ...controls, ...Object.fromEntries(moods.map((name) => [name, amount])) };
  let path = null; // what the text says
  let problem = "";
  const preview = facePreview(node);

  const face = () => used(path ? faceAt(path.keys, line.now()) : {});
  const end = () => Math.max(path?.keys.at(-1).time ?? 0, preview.seconds);
  const largest = (time) => Math.max(0, ...Object.entries(faceAt(path.keys, time)).map(([name, value]) =>
    Math.abs(value) / (known[name]?.max ?? 1)));
  const line = timeLine({
    path: () => path, end, scrubbed: () => follow(),
    curves: [{ colour: "#58a6c9", label: (time) => `${time.toFixed(2)} s`, share: largest }],
    add: (time) => set(time, rounded(faceAt(path.keys, time))), changed: () => write(),
  });

  const follow = () => {
    const values = face();
    list.show(values);
    preview.show(values, line.now());
  };
  const write = () => {
    setWidget(text, formatFaces(path)); // its callback reads it again
    node.graph?.setDirtyCanvas(true, true);
  };
  const set = (time, values) => {
    setKey(path.keys, time, { values });
    write();
  };
  const rounded = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) =>
    [name, Math.round(value * 100) / 100]));
  const read = () => {
    try {
      [path, problem] = [parseFaces(String(text.value)), ""];
    } catch (error) {
      [path, problem] = [null, error.message];
    }
    said.textContent = problem;
    line.redraw();
    follow();
  };
  preview.ready = () => {
    line.redraw();
    follow();
  };

  const turn = (name, value) => path && set(line.now(), used({ ...rounded(face()), [name]: value }));
  const list = sliderList(known, turn, true);
  Object.assign(list.element.style, { height: `${LIST}px` });
  const said = document.createElement("div");
  Object.assign(said.style, { color: "#ff6b57", fontSize: "11px" });
  Object.assign(preview.element.style, { flex: "1 1 0", aspectRatio: "1", objectFit: "contain" });
  Object.assign(line.line.style, { height: "76px", marginTop: "4px", flex: "none" });
  const take = (values) => path && set(line.now(), used(values));
  const pad = document.createElement("div");
  pad.className = "gohd-expression-path";
  Object.assign(pad.style, { display: "flex", flexDirection: "column" });
  pad.append(preview.element, said, line.line, line.buttons, list.element,
    row(button("reset", "reset", "reset_key_title", () => take({})),
      button("mirror", "mirror", "mirror_key_title", () => take(mirrored(face())))),
    presetRow(take, face));
  onChange(node, [text], read);
  (text.element ?? text.inputEl)?.addEventListener("input", read);
  addPad(node, "expression_path", pad, HEIGHT);
  node.setSize?.([Math.max(node.size[0], 460), node.computeSize()[1] + 60]); // room for five keys' text
  read();
}

app.registerExtension({
  name: "GoHD.ExpressionPath",
  nodeCreated(node) {
    if (node.comfyClass === NODE) build(node);
  },
});
