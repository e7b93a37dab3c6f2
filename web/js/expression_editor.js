// The portrait under the sliders of Expression Editor, drawn again as they move; reset, mirror, presets.
// It only turns the sliders, so that a workflow is the same with it and without it.
import { app } from "../../../scripts/app.js";
import { presetRow } from "./face_presets.js";
import { facePreview, mirrored } from "./face_preview.js";
import { sliderList, sliders } from "./face_sliders.js";
import { addPad, button, onChange, row, setWidget } from "./pad.js";

const NODE = "GoHDExpressionEditor";
const HEIGHT = 640; // pixels

function build(node) {
  const { controls, moods } = sliders();
  const found = Object.fromEntries((node.widgets ?? []).map((widget) => [widget.name, widget]));
  const names = Object.keys(controls);
  if (!names.length || !names.every((name) => found[name]) || !node.addDOMWidget) return; // another front end
  const preview = facePreview(node);
  let quiet = false; // many sliders are set at once

  const values = () => {
    const set = Object.fromEntries(names.map((name) => [name, Number(found[name].value)]));
    if (found.mood.value !== "neutral") set[found.mood.value] = Number(found.mood_amount.value);
    return set;
  };
  const show = () => {
    if (quiet) return;
    list.show(values());
    preview.show(values());
  };
  const take = (given) => {
    quiet = true;
    for (const name of names) {
      const { min, max } = controls[name];
      setWidget(found[name], Math.min(max, Math.max(min, given[name] ?? 0)));
    }
    const mood = moods.find((name) => given[name]);
    setWidget(found.mood, mood ?? "neutral");
    if (mood) setWidget(found.mood_amount, given[mood]);
    quiet = false;
    node.graph?.setDirtyCanvas(true, true);
    show();
  };
  preview.ready = show;
  const list = sliderList(controls, (name, value) => {
    setWidget(found[name], value);
    node.graph?.setDirtyCanvas(true, true);
  });

  // The plain sliders are the truth, and stay out of sight until one is wired.
  const hide = () => {
    for (const name of names) {
      const hidden = (node.inputs?.find((input) => input.widget?.name === name)?.link ?? null) === null;
      found[name].hidden = hidden;
      if (found[name].options) found[name].options.hidden = hidden; // Nodes 2.0 asks this one
    }
  };
  const connected = node.onConnectionsChange;
  node.onConnectionsChange = function (...given) {
    connected?.apply(this, given);
    hide();
  };
  hide();

  const pad = document.createElement("div");
  pad.className = "gohd-expression-editor";
  Object.assign(pad.style, { display: "flex", flexDirection: "column" });
  Object.assign(preview.element.style, { flex: "1 1 0", aspectRatio: "1", objectFit: "contain" });
  pad.append(preview.element, list.element,
    row(button("reset", "reset", "reset_title", () => take({})),
      button("mirror", "mirror", "mirror_title", () => take(mirrored(values())))),
    presetRow(take, values));
  onChange(node, [...names, "mood", "mood_amount"].map((name) => found[name]), show);
  addPad(node, "expression_editor", pad, HEIGHT);
  node.setSize?.([Math.max(node.size[0], 460), node.computeSize()[1]]);
}

app.registerExtension({
  name: "GoHD.ExpressionEditor",
  nodeCreated(node) {
    if (node.comfyClass === NODE) build(node);
  },
});
