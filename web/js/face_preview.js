// The portrait in a node: drawn by the server for a face that a run made ready, and for sliders as they stand.
import { api } from "../../../scripts/api.js";
import { word } from "./words.js";

const SIZE = 512; // pixels, as the server draws at most
const AGAIN = 500; // milliseconds

/** A picture that the server draws; `show(values, time)` asks for one, the last asked is the one that stays. */
export function facePreview(node) {
  const canvas = document.createElement("canvas");
  canvas.className = "gohd-face";
  Object.assign(canvas, { width: SIZE, height: SIZE });
  Object.assign(canvas.style, { display: "block", margin: "0 auto", maxWidth: "100%", borderRadius: "6px", minHeight: "0" });
  const context = canvas.getContext("2d");
  let face = ""; // the server's key of it
  let wanted = null; // asked for while another is drawn
  let busy = false;

  const say = (text) => {
    context.fillStyle = "#20242acc";
    context.fillRect(0, SIZE - 44, SIZE, 44);
    context.fillStyle = "#d5dae1";
    context.font = "17px sans-serif";
    context.fillText(text, 12, SIZE - 16, SIZE - 24);
  };
  const clear = () => {
    context.fillStyle = "#20242a";
    context.fillRect(0, 0, SIZE, SIZE);
    say(word("run_once"));
  };

  async function draw() {
    busy = true;
    canvas.dataset.busy = "yes";
    while (wanted) {
      const asked = wanted;
      wanted = null;
      const started = performance.now();
      try {
        const answer = await api.fetchApi("/gohd/face", {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ face, ...asked }),
        });
        if (answer.ok) {
          const picture = await createImageBitmap(await answer.blob());
          context.drawImage(picture, 0, 0, SIZE, SIZE);
          canvas.dataset.drawn = JSON.stringify(asked);
          canvas.dataset.milliseconds = Math.round(performance.now() - started);
        } else {
          say((await answer.json()).error ?? word("run_once"));
          if (answer.status === 503) { // a workflow runs: asked again until it is done
            await new Promise((resolve) => setTimeout(resolve, AGAIN));
            wanted ??= asked;
          }
        }
      } catch (error) {
        say(String(error.message ?? error));
      }
    }
    busy = false;
    delete canvas.dataset.busy;
  }

  const preview = {
    element: canvas,
    seconds: 0, // how long the motion is that it shows
    show(values, time = 0) {
      if (!face) return;
      wanted = { values, time };
      if (!busy) draw();
    },
  };
  const executed = node.onExecuted;
  node.onExecuted = function (output, ...more) {
    executed?.call(this, output, ...more);
    const told = output?.gohd_face;
    if (!told) return;
    [face, preview.seconds] = told;
    preview.ready?.();
  };
  clear();
  return preview;
}

const SIGNED = ["turn", "tilt", "shift_right", "look_left"];

/** The same face in a mirror, by the rules of gohd_core/motion/adjusting.py. */
export function mirrored(values) {
  const other = (name) => name.startsWith("look_") ? name
    : name.endsWith("_left") ? name.replace(/_left$/, "_right") : name.replace(/_right$/, "_left");
  return Object.fromEntries(Object.entries(values).map(([name, value]) =>
    SIGNED.includes(name) ? [name, -value || 0] : [other(name), value]));
}

/** Values without those that are 0. */
export const used = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));
