// Pads in nodes: canvases, buttons and rows, the pointer on them, and the widgets whose values they set.
import { word } from "./words.js";

/** Pointer on an element, as shares of its width and height, whatever the graph's zoom. */
export function shares(element, event) {
  const box = element.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

/** A line of small text at the bottom of a canvas. */
export function caption(context, height, text, colour = "#aab2bd") {
  context.fillStyle = colour;
  context.font = "11px sans-serif";
  context.fillText(text, 8, height - 8);
}

/** A canvas, its title a key of words.js, that is drawn with as many pixels as it is shown with, and again when that changes. */
export function padCanvas(name, title, draw) {
  const canvas = document.createElement("canvas");
  canvas.className = name;
  canvas.title = word(title);
  Object.assign(canvas.style, { width: "100%", height: "100%", borderRadius: "6px", touchAction: "none" });
  const context = canvas.getContext("2d");
  canvas.redraw = () => {
    if (!canvas.clientWidth || !canvas.clientHeight) return; // not shown yet
    [canvas.width, canvas.height] = [canvas.clientWidth, canvas.clientHeight];
    draw(context, canvas.width, canvas.height);
  };
  new ResizeObserver(canvas.redraw).observe(canvas);
  return canvas;
}

/** Calls `begin`, `follow` and `end` for a pointer that is pressed on a canvas, moved and let go. */
export function onDrag(canvas, begin, follow, end = () => {}) {
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    begin(event);
    event.stopPropagation(); // or the graph would move
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) follow(event);
  });
  canvas.addEventListener("lostpointercapture", end);
}

/** Sets a widget as if it had been typed into. */
export function setWidget(widget, value) {
  widget.value = value;
  widget.callback?.(value);
}

/** Calls `changed` after a widget was changed in the node, and after a workflow was loaded into it. */
export function onChange(node, widgets, changed) {
  for (const widget of widgets) {
    const before = widget.callback;
    widget.callback = function (...given) {
      const answer = before?.apply(this, given);
      changed();
      return answer;
    };
  }
  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    configured?.apply(this, given);
    changed();
  };
}

/** Puts a pad into a node. Widgets are saved by position: the pad must not take one. */
export function addPad(node, name, element, height) {
  const size = () => height;
  const pad = node.addDOMWidget(name, `GOHD_${name.toUpperCase()}`, element, {
    serialize: false,
    getMinHeight: size,
    getMaxHeight: size,
  });
  pad.serialize = false;
}

/** A button of a node's pad; label and title are keys of words.js. */
export function button(name, label, title, pressed) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: word(label), title: word(title), className: `gohd-${name}` });
  Object.assign(made.style, { flex: "1", fontSize: "11px", padding: "2px", cursor: "pointer" });
  made.addEventListener("click", pressed);
  return made;
}

/** Things beside each other. */
export function row(...parts) {
  const made = document.createElement("div");
  Object.assign(made.style, { display: "flex", gap: "4px", marginTop: "4px" });
  made.append(...parts);
  return made;
}
