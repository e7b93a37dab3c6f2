// A time line of keys in a node: scrub, play, add, move and remove keys, and say how they go on.
import * as eye from "./eye.js";
import { button, row } from "./face_preview.js";
import { EASES, moveKey, onFrame } from "./gaze_keys.js";

const EDGE = 10; // pixels beside the line
const GRIP = 8; // pixels around a key
const COLOURS = { line: "#58a6c9", key: "#f2efe9", chosen: "#ff6b57" };

/**
 * A line and its buttons. `keys()` gives the keys or null, `end()` the seconds, `height(time)` a curve 0..1,
 * `scrubbed(time)` hears where it is, `add(time)` sets a key there, `changed()` hears of moves.
 */
export function timeLine({ keys, end, height, scrubbed, add, changed }) {
  let now = 0, playing = 0, held = -1, shown = 0;
  const range = () => shown || Math.max(1, 1.1 * end());
  const across = (time, width) => EDGE + ((width - 2 * EDGE) * time) / range();
  const chosen = () => (keys() ?? []).findIndex((key) => Math.abs(key.time - now) < 0.02);

  const line = eye.padCanvas(
    "gohd-time-line", "Press to scrub, drag a key to move it; double-click adds a key, or removes one.",
    (context, width, tall) => {
      context.fillStyle = "#181b20";
      context.fillRect(0, 0, width, tall);
      if (!keys()) return;
      context.beginPath();
      for (let x = EDGE; x <= width - EDGE; x++) {
        const share = height(((x - EDGE) / (width - 2 * EDGE)) * range());
        context.lineTo(x, tall - 22 - (tall - 30) * Math.min(1, share));
      }
      context.strokeStyle = COLOURS.line;
      context.stroke();
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
      eye.caption(context, 18, `${now.toFixed(2)} s`);
    });

  const timeAt = (event) => {
    const width = line.clientWidth;
    return Math.max(0, ((eye.shares(line, event)[0] * width - EDGE) / (width - 2 * EDGE)) * range());
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
    buttons.ease.textContent = at < 0 ? "ease" : keys()[at].ease;
  };
  const scrub = (time) => {
    now = Math.min(onFrame(time), onFrame(range()));
    scrubbed(now);
    redraw();
  };
  const remove = (index) => {
    if (index < 0 || keys().length < 2) return;
    const [gone] = keys().splice(index, 1);
    const next = keys()[index];
    if (next) next.above = [...gone.above, ...next.above];
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
    play: button("play", "▶", "Play or stop.", play),
    add: button("add", "+ key", "Adds a key at this time.", () => add(now)),
    remove: button("remove", "− key", "Removes the key at this time.", () => remove(chosen())),
    ease: button("ease", "ease", "How it goes on from this key: smooth, linear or hold.", () => {
      const key = keys()[chosen()];
      key.ease = EASES[(EASES.indexOf(key.ease) + 1) % EASES.length];
      changed();
    }),
  };
  eye.onDrag(line, (event) => {
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
  return { line, buttons: row(...Object.values(buttons)), redraw, scrub, now: () => now };
}
