// ComfyUI's front end in a headless Chromium: PLAYWRIGHT names the folder of playwright-core, CHROMIUM the browser.
import { createRequire } from "node:module";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const require = createRequire(path.join(process.env.PLAYWRIGHT ?? process.cwd(), "package.json"));
const { chromium } = require("playwright-core");

/** Opens the front end at an address; a page whose graph is ready, and what closes it. */
export async function open(url) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "gohd-browser-"));
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  await fetch(`${url}/settings/Comfy.TutorialCompleted`, { method: "POST", body: "true" });
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags, headless: true,
    viewport: { width: 1920, height: 1080 },
  });
  const page = await browser.newPage();
  await page.goto(url, { timeout: 120000 }); // a machine at work is slow
  await page.waitForFunction(
    () => window.app?.graph && Object.keys(window.LiteGraph.registered_node_types).length > 100,
    null, { timeout: 120000 });
  await page.waitForTimeout(1500);
  return { page, close: async () => { await browser.close(); fs.rmSync(folder, { recursive: true, force: true }); } };
}

/** Puts one fresh node of a type at a place of an empty graph, at full size; its bounds on the screen. */
export async function place(page, type, at) {
  await page.evaluate(({ type, at }) => {
    const { app, LiteGraph } = window;
    // Not graph.clear(): a node of the same number would find the last one's values in the front end's store.
    for (const old of [...app.graph._nodes]) app.graph.remove(old);
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    node.pos = at;
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
  }, { type, at });
  await page.waitForTimeout(1000);
}

/** A picture of the only node, as large as it is shown. */
export async function nodePicture(page, file) {
  const [x, y, width, height] = await page.evaluate(() => {
    const node = window.app.graph._nodes[0];
    const box = window.app.canvas.canvas.getBoundingClientRect();
    const title = window.LiteGraph.NODE_TITLE_HEIGHT;
    return [box.left + node.pos[0], box.top + node.pos[1] - title, node.size[0], node.size[1] + title];
  });
  const edge = 10, badge = 16; // the pack's name stands above the title
  const clip = { x: x - edge, y: y - edge - badge, width: width + 2 * edge, height: height + 2 * edge + badge };
  await page.mouse.move(5, 5);
  await page.waitForTimeout(300);
  await page.screenshot({ path: file, clip });
}
