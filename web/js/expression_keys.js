// The keys of an expression path as text, by the rules of gohd_core/motion/adjusting.py: a key is a whole face.
import { EASES, FRAME, onFrame } from "./gaze_keys.js";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const short = (value) => String(Math.round(value * 1000) / 1000);

/** Keys {time, values, ease, note, above} of a text, and the notes `below` them; throws what can't be read. */
export function parseFaces(text) {
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
    const [time, ...set] = words;
    const pairs = set.map((word) => word.split("="));
    if (!NUMBER.test(time ?? "") || !pairs.every((pair) => pair.length === 2 && NUMBER.test(pair[1])))
      throw new Error(`Line ${index + 1}: write seconds, name=value.`);
    if (Number(time) < 0 || (keys.length && Number(time) <= keys.at(-1).time))
      throw new Error(`Line ${index + 1}: times must rise from line to line.`);
    const values = Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)]));
    keys.push({ time: Number(time), values, ease, note: note.join("#").trim(), above: notes });
    notes = [];
  }
  if (!keys.length) throw new Error("Write one key a line: seconds, name=value.");
  return { keys, below: notes };
}

/** The text of keys, with the notes that were there. */
export function formatFaces({ keys, below }) {
  const lines = keys.flatMap(({ time, values, ease, note, above }) => {
    const set = Object.entries(values).filter(([, value]) => value).map(([name, value]) => `${name}=${short(value)}`);
    const parts = [time.toFixed(2), ...(set.length ? ["", set.join(" ")] : [])];
    if (ease !== EASES[0]) parts.push("", ease);
    if (note) parts.push("", `# ${note}`);
    return [...above, parts.join(" ")];
  });
  return [...lines, ...below].join("\n");
}

/** The face at a time in seconds; before the first key and after the last, theirs. */
export function faceAt(keys, time) {
  const index = Math.max(0, keys.findLastIndex((key) => key.time <= time));
  const from = keys[index], to = keys[Math.min(index + 1, keys.length - 1)];
  let share = Math.min(1, Math.max(0, (time - from.time) / Math.max(to.time - from.time, 1e-9)));
  if (from.ease === "smooth") share = share * share * (3 - 2 * share);
  if (from.ease === "hold") share = 0;
  const names = new Set([...Object.keys(from.values), ...Object.keys(to.values)]);
  return Object.fromEntries([...names].map((name) =>
    [name, (from.values[name] ?? 0) * (1 - share) + (to.values[name] ?? 0) * share]));
}

/** Index of the key on the same frame as a time, or -1. */
export const faceKeyAt = (keys, time) => keys.findIndex((key) => Math.abs(key.time - time) < FRAME / 2);

/** Sets the face at a time, on its key or on a new one; the index of that key. */
export function setFace(keys, time, values) {
  const found = faceKeyAt(keys, time);
  if (found >= 0) {
    keys[found].values = values;
    return found;
  }
  const at = onFrame(time);
  const place = keys.filter((key) => key.time < at).length;
  keys.splice(place, 0, { time: at, values, ease: keys[place - 1]?.ease ?? EASES[0], note: "", above: [] });
  return place;
}
