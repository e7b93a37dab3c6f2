// The keys of a gaze path as text: read, written, followed.
import { formatLines, isNumber, parseLines, segmentAt, short } from "./keys.js";

/** Keys {time, pitch, yaw, ...} of a text, and the notes `below` them; throws what can't be read. */
export const parseKeys = (text) => parseLines(text, "form_gaze", (words) => {
  if (words.length !== 3 || !words.every(isNumber)) return null;
  const [time, pitch, yaw] = words.map(Number);
  return { time, pitch, yaw };
});

/** The text of keys, in columns. */
export const formatKeys = (path) => formatLines(path, ({ time, pitch, yaw }) =>
  [time.toFixed(2).padEnd(5), short(pitch).padStart(5), short(yaw).padStart(5)].join(" "));

/** Pitch and yaw in degrees at a time in seconds; before the first key and after the last, theirs. */
export function gazeAt(keys, time) {
  const { from, to, share } = segmentAt(keys, time);
  const between = (name) => from[name] * (1 - share) + to[name] * share;
  return { pitch: between("pitch"), yaw: between("yaw") };
}
