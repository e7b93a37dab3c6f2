// The keys of an expression path as text, by the rules of gohd_core/motion/adjusting.py: a key is a whole face.
import { formatLines, isNumber, parseLines, segmentAt, short } from "./keys.js";

/** Keys {time, values, ...} of a text, and the notes `below` them; throws what can't be read. */
export const parseFaces = (text) => parseLines(text, "form_face", ([time, ...set]) => {
  const pairs = set.map((word) => word.split("="));
  if (!isNumber(time) || !pairs.every((pair) => pair.length === 2 && isNumber(pair[1]))) return null;
  return { time: Number(time), values: Object.fromEntries(pairs.map(([name, value]) => [name, Number(value)])) };
});

/** The text of keys. */
export const formatFaces = (path) => formatLines(path, ({ time, values }) => {
  const set = Object.entries(values).filter(([, value]) => value).map(([name, value]) => `${name}=${short(value)}`);
  return [time.toFixed(2), ...(set.length ? ["", ...set] : [])].join(" ");
});

/** The face at a time in seconds; before the first key and after the last, theirs. */
export function faceAt(keys, time) {
  const { from, to, share } = segmentAt(keys, time);
  const names = new Set([...Object.keys(from.values), ...Object.keys(to.values)]);
  return Object.fromEntries([...names].map((name) =>
    [name, (from.values[name] ?? 0) * (1 - share) + (to.values[name] ?? 0) * share]));
}
