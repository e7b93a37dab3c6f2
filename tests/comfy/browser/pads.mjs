// Uses the gaze pads in ComfyUI's own front end, as a hand would, and prints what their nodes say.
//
//   node pads.mjs pad URL [PICTURE]             drags on Set Gaze's pad
//   node pads.mjs path URL [PICTURE]            scrubs, drags, adds and removes keys on Gaze Path
//   node pads.mjs follow URL TEXT TIME ...      {values: [[pitch, yaw] at each time]} by the pad's own reading
import fs from "node:fs";
import { nodePicture, open, place } from "./page.mjs";

const [, , command, url, ...rest] = process.argv;
const PLACE = [500, 250];

// What the only node's widgets say, now and after its workflow was saved and loaded again.
async function said(page) {
  return page.evaluate(async () => {
    const { app } = window;
    const values = () => Object.fromEntries(app.graph._nodes[0].widgets.map((w) => [w.name, w.value]));
    const now = values();
    const saved = app.graph.serialize();
    const prompt = Object.values((await app.graphToPrompt()).output)[0]?.inputs ?? null;
    await app.loadGraphData(saved, true, true, "again");
    return { now, saved: saved.nodes[0].widgets_values, prompt, again: values() };
  });
}

async function drag(page, from, ...way) {
  await page.mouse.move(...from);
  await page.mouse.down();
  for (const point of way) await page.mouse.move(...point, { steps: 4 });
  await page.mouse.up();
  await page.waitForTimeout(200);
}

// A point on an eye, as shares of its half width and height from the middle.
async function onEye(canvas) {
  const box = await canvas.boundingBox();
  return (x, y) => [box.x + box.width * (0.5 + 0.42 * x), box.y + box.height * (0.5 + 0.36 * y)];
}

async function pad(page, picture) {
  await place(page, "GoHDSetGaze", PLACE);
  const canvas = page.locator("canvas.gohd-gaze-pad");
  await canvas.waitFor({ state: "visible", timeout: 30000 });
  const at = await onEye(canvas);
  await drag(page, at(0, 0), at(-0.2, -0.1), at(-0.5, -0.25));
  if (picture) await nodePicture(page, picture);
  return said(page);
}

async function path(page, picture) {
  await place(page, "GoHDGazePath", PLACE);
  const canvas = page.locator("canvas.gohd-time-line");
  await canvas.waitFor({ state: "visible", timeout: 30000 });
  const eye = await onEye(page.locator("canvas.gohd-gaze-path-eye"));
  const box = await canvas.boundingBox();
  const keys = () => page.evaluate(() => window.app.graph._nodes[0].widgets.find((w) => w.name === "keys").value);
  const spot = (seconds, range) => [box.x + 10 + ((box.width - 20) * seconds) / range, box.y + box.height - 11];
  const found = { begin: await keys() };
  await page.mouse.click(...spot(1.6, 3.6)); // the example ends at 3 s, and a fifth more is shown
  await drag(page, eye(0, 0), eye(-0.2, -0.2), eye(-0.25, -0.5));
  found.made = await keys();
  await drag(page, spot(3, 3.6), spot(3.2, 3.6), spot(3.4, 3.6));
  found.moved = await keys();
  await page.mouse.click(...spot(2, 1.2 * 3.4));
  if (picture) await nodePicture(page, picture);
  await page.locator("button.gohd-ease").click();
  found.eased = await keys();
  await page.locator("button.gohd-remove").click();
  found.removed = await keys();
  await page.mouse.dblclick(...spot(2.4, 1.2 * 3.4));
  found.added = await keys();
  await page.evaluate(() => {
    const widget = window.app.graph._nodes[0].widgets.find((w) => w.name === "keys");
    widget.value = "0 0 what";
    widget.callback?.(widget.value);
  });
  await page.mouse.click(...spot(1, 3.6));
  found.unreadable = await keys();
  await page.evaluate((text) => {
    const widget = window.app.graph._nodes[0].widgets.find((w) => w.name === "keys");
    widget.value = text;
    widget.callback?.(widget.value);
  }, found.added);
  return { ...found, ...(await said(page)) };
}

async function follow(page, text, ...times) {
  return page.evaluate(async ({ text, times }) => {
    const { formatKeys, gazeAt, parseKeys } = await import("/extensions/ComfyUI-GoHD/js/gaze_keys.js");
    const read = parseKeys(text);
    const values = times.map((time) => gazeAt(read.keys, Number(time))).map(({ pitch, yaw }) => [pitch, yaw]);
    return { values, text: formatKeys(read) };
  }, { text, times });
}

const { page, close } = await open(url);
try {
  fs.writeFileSync(1, JSON.stringify(await { pad, path, follow }[command](page, ...rest)));
} finally {
  await close();
}
