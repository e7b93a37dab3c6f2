// Uses Expression Editor and Expression Path in ComfyUI's own front end, as a hand would, and prints what they say.
//
//   node faces.mjs editor URL WORKFLOW [PICTURE]    moves sliders, mirrors, resets, keeps and takes presets
//   node faces.mjs path URL WORKFLOW [PICTURE]      scrubs, turns sliders of a key, takes a preset
//   node faces.mjs follow URL TEXT TIME ...         {values: [face at each time], text, mirrored: [...]}
import fs from "node:fs";
import { nodePicture, open } from "./page.mjs";

const [, , command, url, ...rest] = process.argv;

// Loads a workflow, leaves the node of a type and what it needs, runs it once, and shows that node alone.
async function run(page, file, type) {
  await page.setViewportSize({ width: 1920, height: 1600 });
  const api = JSON.parse(fs.readFileSync(file, "utf8"));
  const keep = new Set();
  const need = (id) => {
    keep.add(id);
    for (const value of Object.values(api[id].inputs)) if (Array.isArray(value)) need(value[0]);
  };
  need(Object.keys(api).find((id) => api[id].class_type === type));
  const graph = Object.fromEntries(Object.entries(api).filter(([id]) => keep.has(id)));
  return page.evaluate(async ({ graph, type }) => {
    const { app } = window;
    await app.loadApiJson(graph, "faces");
    await new Promise((done) => setTimeout(done, 500));
    const node = app.graph._nodes.find((each) => each.type === type);
    let far = 6000;
    for (const each of app.graph._nodes) each.pos = each === node ? [500, 130] : [far += 600, 0];
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
    const done = new Promise((resolve) => {
      const before = node.onExecuted;
      node.onExecuted = function (output, ...more) {
        before?.call(this, output, ...more);
        resolve(output);
      };
    });
    await app.queuePrompt(0, 1);
    return done;
  }, { graph, type });
}

// Waits until the picture shows what was asked last.
async function settled(page) {
  await page.waitForTimeout(300);
  await page.waitForFunction(() => {
    const { drawn, busy } = document.querySelector(".gohd-face").dataset;
    return drawn && !busy;
  });
  return page.evaluate(() => {
    const { drawn, milliseconds } = document.querySelector(".gohd-face").dataset;
    return { ...JSON.parse(drawn), milliseconds: Number(milliseconds) };
  });
}

const widgets = (page, type) => page.evaluate((type) => Object.fromEntries(window.app.graph._nodes
  .find((each) => each.type === type).widgets.map((each) => [each.name, each.value])), type);

const turn = (page, type, name, value) => page.evaluate(({ type, name, value }) => {
  const widget = window.app.graph._nodes.find((each) => each.type === type).widgets.find((each) => each.name === name);
  widget.value = value;
  widget.callback(value);
}, { type, name, value });

// What is saved of the node by position, and the same after loading it again.
const saved = (page, type) => page.evaluate(async (type) => {
  const { app } = window;
  const whole = app.graph.serialize();
  const values = whole.nodes.find((each) => each.type === type).widgets_values;
  const prompt = Object.values((await app.graphToPrompt()).output).find((each) => each.class_type === type).inputs;
  return { values, prompt };
}, type);

async function pictureOf(page, type, file) {
  if (!file) return;
  await page.setViewportSize({ width: 1920, height: 1500 });
  await page.evaluate((type) => {
    const nodes = window.app.graph._nodes;
    const at = nodes.findIndex((each) => each.type === type);
    [nodes[0], nodes[at]] = [nodes[at], nodes[0]];
  }, type);
  await page.waitForTimeout(800);
  await nodePicture(page, file);
}

async function editor(page, file, picture) {
  const type = "GoHDExpressionEditor";
  const told = await run(page, file, type);
  const said = { told, begin: await settled(page) };
  await turn(page, type, "jaw", 0.7);
  said.jaw = await settled(page);
  await page.click(".gohd-mirror");
  said.mirrored = await settled(page);
  await page.selectOption(".gohd-presets", "wink");
  said.wink = await settled(page);
  said.winked = await widgets(page, type);
  await pictureOf(page, type, picture);
  said.saved = await saved(page, type);
  await page.click(".gohd-keep");
  await page.waitForSelector(".p-dialog input, [role=dialog] input");
  await page.fill(".p-dialog input, [role=dialog] input", "my wink");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".gohd-presets option[value^='own/']", { state: "attached" });
  said.own = await page.$$eval(".gohd-presets option", (all) => all.map((each) => each.value).filter((v) => v.startsWith("own/")));
  await page.click(".gohd-reset");
  said.reset = await settled(page);
  await page.selectOption(".gohd-presets", "own/my wink");
  said.again = await settled(page);
  return said;
}

async function path(page, file, picture) {
  const type = "GoHDExpressionPath";
  const told = await run(page, file, type);
  const said = { told, begin: await settled(page), text: (await widgets(page, type)).keys };
  const line = await page.locator(".gohd-time-line").boundingBox();
  const seconds = Math.max(1, 1.2 * told.gohd_face[1]);
  const at = (time) => line.x + 10 + ((line.width - 20) * time) / seconds;
  await page.mouse.click(at(2.4), line.y + 30);
  said.wink = await settled(page);
  await pictureOf(page, type, picture);
  await page.mouse.click(at(1.2), line.y + 30);
  await page.$eval(".gohd-sliders input[name=jaw]", (range) => {
    range.value = 0.5;
    range.dispatchEvent(new Event("input"));
  });
  said.jaw = await settled(page);
  said.made = (await widgets(page, type)).keys;
  await page.click(".gohd-ease");
  said.eased = (await widgets(page, type)).keys;
  await page.selectOption(".gohd-presets", "kiss");
  said.kissed = (await widgets(page, type)).keys;
  await page.click(".gohd-remove");
  said.removed = (await widgets(page, type)).keys;
  said.saved = await saved(page, type);
  return said;
}

const follow = (page, text, ...times) => page.evaluate(async ({ text, times }) => {
  const folder = [...document.scripts].map((each) => each.src).find((src) => src.includes("/js/")) ?? "";
  const base = new URL("/extensions/ComfyUI-GoHD/js/", folder || location.href);
  const keys = await import(new URL("expression_keys.js", base));
  const { mirrored } = await import(new URL("face_preview.js", base));
  const path = keys.parseFaces(text);
  return { values: times.map((time) => keys.faceAt(path.keys, Number(time))), text: keys.formatFaces(path),
    mirrored: path.keys.map((key) => mirrored(key.values)) };
}, { text, times });

const { page, close } = await open(url);
try {
  fs.writeFileSync(1, JSON.stringify(await { editor, path, follow }[command](page, ...rest)));
} finally {
  await close();
}
