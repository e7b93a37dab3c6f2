// The keys of a gaze path as text: read, written, changed, followed; by the rules of gohd_core/keyframes.py.
export const EASES = ["smooth", "linear", "hold"];
export const FRAME = 0.04; // seconds at 25 frames a second

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const short = (value) => String(Math.round(value * 1000) / 1000);

/** Seconds on a frame, from 0 on. */
export const onFrame = (time) => Math.max(0, Math.round(Math.round(time / FRAME) * FRAME * 100) / 100);

/** Keys {time, pitch, yaw, ease, note, above} of a text, and the notes `below` them; throws what can't be read. */
export function parseKeys(text) {
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
    if (words.length !== 3 || !words.every((word) => NUMBER.test(word)))
      throw new Error(`Line ${index + 1}: write seconds, pitch, yaw.`);
    const [time, pitch, yaw] = words.map(Number);
    if (time < 0 || (keys.length && time <= keys.at(-1).time))
      throw new Error(`Line ${index + 1}: times must rise from line to line.`);
    keys.push({ time, pitch, yaw, ease, note: note.join("#").trim(), above: notes });
    notes = [];
  }
  if (!keys.length) throw new Error("Write one key a line: seconds, pitch, yaw.");
  return { keys, below: notes };
}

/** The text of keys, in columns, with the notes that were there. */
export function formatKeys({ keys, below }) {
  const lines = keys.flatMap(({ time, pitch, yaw, ease, note, above }) => {
    const columns = [time.toFixed(2).padEnd(5), short(pitch).padStart(5), short(yaw).padStart(5)];
    if (ease !== EASES[0]) columns.push("", ease);
    if (note) columns.push("", `# ${note}`);
    return [...above, columns.join(" ")];
  });
  return [...lines, ...below].join("\n");
}

/** Pitch and yaw in degrees at a time in seconds; before the first key and after the last, theirs. */
export function gazeAt(keys, time) {
  const index = Math.max(0, keys.findLastIndex((key) => key.time <= time));
  const from = keys[index], to = keys[Math.min(index + 1, keys.length - 1)];
  let share = Math.min(1, Math.max(0, (time - from.time) / Math.max(to.time - from.time, 1e-9)));
  if (from.ease === "smooth") share = share * share * (3 - 2 * share);
  if (from.ease === "hold") share = 0;
  const between = (name) => from[name] * (1 - share) + to[name] * share;
  return { pitch: between("pitch"), yaw: between("yaw") };
}

/** Index of the key on the same frame as a time, or -1. */
export const keyAt = (keys, time) => keys.findIndex((key) => Math.abs(key.time - time) < FRAME / 2);

/** Sets the gaze at a time, on its key or on a new one; the index of that key. */
export function setKey(keys, time, gaze) {
  const found = keyAt(keys, time);
  if (found >= 0) {
    Object.assign(keys[found], gaze);
    return found;
  }
  const at = onFrame(time);
  const place = keys.filter((key) => key.time < at).length;
  const ease = keys[place - 1]?.ease ?? EASES[0];
  keys.splice(place, 0, { time: at, ...gaze, ease, note: "", above: [] });
  return place;
}

/** Moves a key to another time, which its neighbours limit. */
export function moveKey(keys, index, time) {
  const lowest = index > 0 ? keys[index - 1].time + FRAME : 0;
  const highest = index + 1 < keys.length ? keys[index + 1].time - FRAME : Infinity;
  if (lowest <= highest) keys[index].time = onFrame(Math.min(highest, Math.max(lowest, time)));
}
