// What our pads say, in the front end's language: from locales/LANGUAGE of the pack, as the server serves them.
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const served = await api.fetchApi("/i18n").then((answer) => answer.json()).catch(() => ({}));

const language = () => app.ui?.settings?.getSettingValue?.("Comfy.Locale") ?? "en";
const found = (...path) => [language(), "en"]
  .map((each) => path.reduce((inside, key) => inside?.[key], served[each])).find((text) => text !== undefined);

/** The text of a key of main.json, `given` in the place of {names}; where there is none, the key itself. */
export const word = (key, given = {}) => Object.entries(given).reduce(
  (text, [name, value]) => text.replaceAll(`{${name}}`, value), found("gohd", key) ?? key.replace(/^(mood|preset)_/, "").replaceAll("_", " "));

/** What an input of a node is called, and its tooltip. */
export const inputWords = (type, name) => {
  const { name: label, tooltip } = found("nodeDefs", type, "inputs", name) ?? {};
  return { label: label?.replaceAll("_", " "), tooltip };
};
