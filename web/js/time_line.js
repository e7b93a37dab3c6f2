// A time line of keys in a node: scrub, play, add, move and remove keys, and say how they go on.
import { EASES, keyAt, moveKey, onFrame, removeKey } from "./keys.js";
import { button, onDrag, padCanvas, row, shares } from "./pad.js";
import { word } from "./words.js";

const EDGE = 10; // pixels beside the line
const GRIP = 8; // pixels around a key
const COLOURS = { key: "#f2efe9", chosen: "#ff6b57" };

/**
 * A line and its buttons. `path()` gives {keys, below} or null, `end()` the seconds, `curves` are drawn: {colour,
 * label(time), share(time) 0..1}. `scrubbed(time)` hears where it is, `add(time)` sets a key there, `changed()`
 * hears of moves.
 */
export function timeLine({ path, end, curves, scrubbed, add, changed }) {
  let now = 0, playing = 0, held = -1;
  let shown = 0; // seconds on the line while a key is dragged: the scale must not move under the pointer
  const keys = () => path()?.keys;
  const range = () => shown || Math.max(1, 1.2 * end());
  const across = (time, width) => EDGE + ((width - 2 * EDGE) * time) / range();
  const chosen = () => keyAt(keys() ?? [], now);

  const line = padCanvas(
    "gohd-time-line", "time_line",
    (context, width, tall) => {
      context.fillStyle = "#181b20";
      context.fillRect(0, 0, width, tall);
      if (!keys()) return;
      context.font = "10px sans-serif";
      let labelled = EDGE;
      for (const { colour, label, share } of curves) {
        context.beginPath();
        for (let x = EDGE; x <= width - EDGE; x++) {
          const height = share(((x - EDGE) / (width - 2 * EDGE)) * range());
          context.lineTo(x, tall - 22 - (tall - 30) * Math.min(1, height));
        }
        context.strokeStyle = context.fillStyle = colour;
        context.stroke();
        context.fillText(label(now), labelled, 11);
        labelled += context.measureText(label(now)).width + 8;
      }
      context.fillStyle = "#ffffff14"; // what comes after the end
      context.fillRect(across(end(), width), 0, width, tall);
      context.fillStyle = COLOURS.chosen;
      context.fillRect(across(now, width) - 0.5, 0, 1, tall);
      for (const [k, key] of keys().entries()) {
        context.beginPath();
        context.arc(across(key.time, width), tall - 11, 5, 0, 2 * Math.PI);
        context.fillStyle = k === chosen() ? COLOURS.chosen : COLOURS.key;
        context.fill();
      }
    });

  const timeAt = (event) => {
    const width = line.clientWidth;
    return Math.max(0, ((shares(line, event)[0] * width - EDGE) / (width - 2 * EDGE)) * range());
  };
  const nearest = (event) => {
    const width = line.clientWidth, at = across(timeAt(event), width);
    return keys().findIndex((key) => Math.abs(across(key.time, width) - at) <= GRIP);
  };
  const redraw = () => {
    line.redraw();
    const at = chosen();
    buttons.remove.disabled = at < 0 || keys().length < 2;
    buttons.ease.disabled = at < 0;
    buttons.add.disabled = !keys() || at >= 0;
    buttons.ease.textContent = at < 0 ? word("ease") : keys()[at].ease;
  };
  const scrub = (time) => {
    now = Math.min(onFrame(time), onFrame(range()));
    scrubbed(now);
    redraw();
  };
  const remove = (index) => {
    if (index < 0 || keys().length < 2) return;
    removeKey(path(), index);
    changed();
  };
  const play = () => {
    if (playing) {
      playing = cancelAnimationFrame(playing) ?? 0;
      return;
    }
    const started = performance.now();
    const step = (at) => {
      scrub(Math.max(0, at - started) / 1000);
      playing = keys() && now < end() && line.isConnected ? requestAnimationFrame(step) : 0;
    };
    playing = keys() ? requestAnimationFrame(step) : 0;
  };
  const buttons = {
    play: button("play", "▶", "play_title", play),
    add: button("add", "add_key", "add_key_title", () => add(now)),
    remove: button("remove", "remove_key", "remove_key_title", () => remove(chosen())),
    ease: button("ease", "ease", "ease_title", () => {
      const key = keys()[chosen()];
      key.ease = EASES[(EASES.indexOf(key.ease) + 1) % EASES.length];
      changed();
    }),
  };
  onDrag(line, (event) => {
    if (!keys()) return;
    shown = range();
    held = nearest(event);
    scrub(held >= 0 ? keys()[held].time : timeAt(event));
  }, (event) => {
    if (!keys()) return;
    if (held < 0) {
      scrub(timeAt(event));
      return;
    }
    moveKey(keys(), held, timeAt(event));
    now = keys()[held].time;
    changed();
  }, () => {
    [held, shown] = [-1, 0];
    redraw();
  });
  line.addEventListener("dblclick", (event) => {
    if (!keys()) return;
    const found = nearest(event);
    if (found >= 0) remove(found);
    else add(now);
  });
  return { line, buttons: row(...Object.values(buttons)), redraw, now: () => now };
}
