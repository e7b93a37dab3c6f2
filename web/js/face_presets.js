// Faces by name: those that come with the pack, and the user's own as files in ComfyUI's user folder.
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";
import { used } from "./face_preview.js";
import { button, row } from "./pad.js";
import { word } from "./words.js";

const FOLDER = "gohd/expressions";
const FORMAT = "gohd-expression-1";
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,59}$/u; // of a file: no dots, no slashes
const OWN = "own/"; // before the names of the user's in the list

/** The pack's own: name -> values. */
export async function shipped() {
  const answer = await fetch(new URL("./face_presets.json", import.meta.url));
  return answer.ok ? answer.json() : {};
}

/** Names of the user's own, sorted. */
export async function listOwn() {
  const answer = await api.fetchApi(`/userdata?dir=${encodeURIComponent(FOLDER)}&recurse=false&split=false&full_info=false`);
  const files = answer.ok ? await answer.json() : [];
  return files.filter((name) => name.endsWith(".json")).map((name) => name.replace(/\.json$/, "")).sort();
}

const file = (name) => `/userdata/${encodeURIComponent(`${FOLDER}/${name}.json`)}`;

/** Writes one; throws a sentence where that can't be. */
export async function saveOwn(name, values) {
  if (!NAME.test(name)) throw new Error(word("bad_name"));
  const body = JSON.stringify({ format: FORMAT, values: used(values) }, null, 1);
  const answer = await api.fetchApi(`${file(name)}?overwrite=true`, { method: "POST", body });
  if (!answer.ok) throw new Error(word("not_saved", { status: answer.status }));
}

/** Reads one; throws a sentence for what is none. */
export async function loadOwn(name) {
  if (!NAME.test(name)) throw new Error(word("no_such_face"));
  const answer = await api.fetchApi(file(name));
  const content = answer.ok ? await answer.json().catch(() => null) : null;
  if (content?.format !== FORMAT || typeof content.values !== "object") throw new Error(word("no_face", { name }));
  return Object.fromEntries(Object.entries(content.values).filter(([, value]) => Number.isFinite(value)));
}

/** A list of faces and a button that keeps one: `take(values)` sets the sliders, `give()` reads them. */
export function presetRow(take, give) {
  const list = document.createElement("select");
  list.className = "gohd-presets";
  list.title = word("presets_title");
  Object.assign(list.style, { flex: "2", fontSize: "11px", minWidth: "0" });
  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
  let known = {};
  const fill = async () => {
    known = await shipped();
    const own = await listOwn().catch(() => []);
    list.replaceChildren(option("", word("presets")), ...Object.keys(known).map((name) => option(name, word(`preset_${name}`))),
      ...own.map((name) => option(OWN + name, `★ ${name}`)));
  };
  const complain = (error) => app.extensionManager?.toast?.add?.({
    severity: "warn", summary: "GoHD", detail: error.message, life: 5000 });
  list.addEventListener("change", async () => {
    const name = list.value;
    list.value = ""; // so that the same face can be taken again
    try {
      if (name) take(name.startsWith(OWN) ? await loadOwn(name.slice(OWN.length)) : known[name]);
    } catch (error) {
      complain(error);
    }
  });
  const keep = button("keep", "save", "save_title", async () => {
    const asked = { title: "GoHD", message: word("save_prompt"), defaultValue: "" };
    const name = (await (app.extensionManager?.dialog?.prompt?.(asked) ?? window.prompt(asked.message)))?.trim();
    if (!name) return;
    try {
      await saveOwn(name, give());
      await fill();
    } catch (error) {
      complain(error);
    }
  });
  fill();
  return row(list, keep);
}
