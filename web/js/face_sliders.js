// The sliders of a face in a node, in two columns; what both expression nodes share.
import { row } from "./pad.js";
import { inputWords, word } from "./words.js";

const NODE = "GoHDExpressionEditor";
const COLOURS = { set: "#f2efe9", zero: "#8a93a0" };

/** What the sliders of Expression Editor are: name -> {min, max, step}; and the moods. */
export function sliders() {
  const required = window.LiteGraph.registered_node_types[NODE]?.nodeData?.input?.required ?? {};
  const controls = {};
  for (const [name, [type, options]] of Object.entries(required)) {
    if (type === "FLOAT" && name !== "mood_amount") controls[name] = options;
  }
  const mood = required.mood ?? [[]];
  const moods = (mood[1]?.options ?? mood[0]).filter((name) => name !== "neutral");
  return { controls, moods, amount: required.mood_amount?.[1] ?? { min: -1, max: 2, step: 0.05 } };
}

/**
 * Sliders of names -> {min, max, step}; `turned(name, value)` hears of each move, a double-click is 0.
 * `show(values)` sets them. `named` writes the names beneath labels in another language, where a text has the names.
 */
export function sliderList(known, turned, named = false) {
  const element = document.createElement("div");
  element.className = "gohd-sliders";
  const columns = "repeat(2, minmax(0, 1fr))";
  Object.assign(element.style, { display: "grid", gridTemplateColumns: columns, columnGap: "10px", fontSize: "11px",
    marginTop: "4px", flex: "none", overflowY: "auto" });
  element.addEventListener("wheel", (event) => event.stopPropagation()); // or the graph would zoom
  const rows = {};
  for (const [name, { min, max, step }] of Object.entries(known)) {
    const { label = word(`mood_${name}`), tooltip } = inputWords(NODE, name);
    const range = Object.assign(document.createElement("input"), { type: "range", min, max, step, value: 0, name });
    const [text, said] = [document.createElement("span"), document.createElement("span")];
    text.textContent = label;
    const twice = named && label !== name.replaceAll("_", " ");
    if (twice) text.append(Object.assign(document.createElement("small"), { textContent: name }));
    Object.assign(text.lastElementChild?.style ?? {}, { display: "block", fontSize: "9px", opacity: "0.7" });
    Object.assign(text.style, { width: "38%", overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap",
      lineHeight: "1.1" });
    Object.assign(range.style, { flex: "1", minWidth: "0", margin: "0" });
    Object.assign(said.style, { width: "30px", textAlign: "right" });
    range.addEventListener("input", () => turned(name, Number(range.value)));
    range.addEventListener("dblclick", () => turned(name, 0));
    range.addEventListener("pointerdown", (event) => event.stopPropagation());
    const line = row(text, range, said);
    line.title = tooltip ?? label;
    Object.assign(line.style, { alignItems: "center", marginTop: "0", height: twice ? "26px" : "20px" });
    if (/_left$/.test(name) && name.replace(/_left$/, "_right") in known) line.style.gridColumn = "1"; // pairs side by side
    element.append(line);
    rows[name] = { range, said, text };
  }
  const show = (values) => {
    for (const [name, { range, said, text }] of Object.entries(rows)) {
      const value = Math.round((values[name] ?? 0) * 100) / 100;
      range.value = value;
      said.textContent = value ? String(value) : "·";
      text.style.color = said.style.color = value ? COLOURS.set : COLOURS.zero;
    }
  };
  show({});
  return { element, show };
}
