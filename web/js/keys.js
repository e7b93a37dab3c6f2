// Keys in time as text, by the rules of gohd_core/motion/keyframes.py; what gaze and expression paths share.
import { word } from "./words.js";
export const EASES = ["smooth", "linear", "hold"];
export const FRAME = 0.04; // seconds at 25 frames a second

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
export const isNumber = (word) => NUMBER.test(word ?? "");
export const short = (value) => String(Math.round(value * 1000) / 1000);

/** Seconds on a frame, from 0 on. */
export const onFrame = (time) => Math.max(0, Math.round(Math.round(time / FRAME) * FRAME * 100) / 100);

/**
 * Keys {time, ease, note, above, and what `read` gives} of a text, and the notes `below` them; throws what can't
 * be read. `read(words)` gives {time, ...} of a key's words without the ease, or null where they are not of that
 * `form`, a key of words.js.
 */
export function parseLines(text, form, read) {
  const keys = [];
  let notes = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [code, ...note] = line.split("#");
    const words = code.replaceAll(",", " ").split(/\s+/).filter(Boolean);
    if (!words.length) {
      if (line.trim()) notes.push(line.trim());
      continue;
    }
    const ease = EASES.includes(words.at(-1)) ? words.pop() : EASES[0];
    const key = read(words);
    if (!key) throw new Error(word("line_form", { line: index + 1, form: word(form) }));
    if (key.time < 0 || (keys.length && key.time <= keys.at(-1).time))
      throw new Error(word("line_times", { line: index + 1 }));
    keys.push({ ...key, ease, note: note.join("#").trim(), above: notes });
    notes = [];
  }
  if (!keys.length) throw new Error(word("no_keys", { form: word(form) }));
  return { keys, below: notes };
}

/** The text of keys, with the notes that were there; `write(key)` gives a key's words without the ease. */
export function formatLines({ keys, below }, write) {
  const lines = keys.flatMap((key) => {
    const words = [write(key)];
    if (key.ease !== EASES[0]) words.push("", key.ease);
    if (key.note) words.push("", `# ${key.note}`);
    return [...key.above, words.join(" ")];
  });
  return [...lines, ...below].join("\n");
}

/** The keys before and after a time in seconds, and the eased share of the way between them. */
export function segmentAt(keys, time) {
  const index = Math.max(0, keys.findLastIndex((key) => key.time <= time));
  const from = keys[index], to = keys[Math.min(index + 1, keys.length - 1)];
  let share = Math.min(1, Math.max(0, (time - from.time) / Math.max(to.time - from.time, 1e-9)));
  if (from.ease === "smooth") share = share * share * (3 - 2 * share);
  if (from.ease === "hold") share = 0;
  return { from, to, share };
}

/** Index of the key on the same frame as a time, or -1. */
export const keyAt = (keys, time) => keys.findIndex((key) => Math.abs(key.time - time) < FRAME / 2);

/** Sets values at a time, on its key or on a new one. */
export function setKey(keys, time, values) {
  const found = keyAt(keys, time);
  if (found >= 0) {
    Object.assign(keys[found], values);
    return;
  }
  const at = onFrame(time);
  const place = keys.filter((key) => key.time < at).length;
  const ease = keys[place - 1]?.ease ?? EASES[0];
  keys.splice(place, 0, { time: at, ...values, ease, note: "", above: [] });
}

/** Moves a key to another time, which its neighbours limit. */
export function moveKey(keys, index, time) {
  const lowest = index > 0 ? keys[index - 1].time + FRAME : 0;
  const highest = index + 1 < keys.length ? keys[index + 1].time - FRAME : Infinity;
  if (lowest <= highest) keys[index].time = onFrame(Math.min(highest, Math.max(lowest, time)));
}

/** Takes a key out; the notes above it stay, above what follows. */
export function removeKey(path, index) {
  const [gone] = path.keys.splice(index, 1);
  const next = path.keys[index];
  if (next) next.above = [...gone.above, ...next.above];
  else path.below = [...gone.above, ...path.below];
}
