// Drives ComfyUI's own front end in a headless Chromium: makes UI workflows from API ones and reads them back.
//
//   node frontend.mjs build URL API_FOLDER UI_FOLDER     writes one UI workflow for each API one
//   node frontend.mjs check URL UI_FOLDER                prints {name: API format of the UI workflow as loaded}
//   node frontend.mjs shot URL UI_FILE PICTURE           takes a screenshot of one
//   node frontend.mjs nodes URL FOLDER [ID ...]          takes a picture of each of our nodes, ID.png
import fs from "node:fs";
import path from "node:path";
import { nodePicture, open, place } from "./page.mjs";

const [, , command, url, ...folders] = process.argv;

const NOTES = {
  "1 Models": "`builtin` ships with the pack and is for drawn heads. Photographs want the authors' files: see the workflow official_weights.",
  "2 Who and what": "A face and a voice. For your own: Load Image and Load Audio in the place of the samples. A square picture of a head is used whole; for any other paint a mask over the face and wire it to face_mask.",
  "3 Motion": "Head, face, eyes and gaze each come by one wire into Mix Motion: any source can be swapped. Same seed, same motion.",
  "4 Pictures": "Press Run; Save Video shows the result. Frames per second are wired through: change them in Animate Portrait alone.",
  // One workflow's own notes.
  "talking_portrait_one_node/4 Pictures": "Press Run; Save Video shows the result after a few seconds. Another `seed` moves the head another way; `gaze` says what the eyes do.",
  "gaze_left_centre_right/3 Motion": "One speech and one head movement with three directions of gaze (Fig. 1 of the paper). Drag on an eye of Set Gaze to turn it: positive yaw looks to the picture's left.",
  "gaze_path/3 Motion": "The eyes follow the keys of Gaze Path. ▶ plays them; drag the iris to set a key at the red line, drag the dots to move keys in time.",
  "motion_strip/4 Pictures": "Press Run. One frame of the motion at growing strength (Fig. 8): from the portrait as it is to the motion in full.",
  "one_audio_several_seeds/3 Motion": "One face, one speech, one expression, and three seeds for the head (Fig. 13).",
  "edit_save_reuse_motion/3 Motion": "Save Motion keeps the motion in output/gohd, where Load Motion finds it (press R). Edit Motion then makes the head move half as far again; no network runs for that.",
  "edit_save_reuse_motion/4 Pictures": "The edited motion on another face. Render Video draws straight into the file: its memory does not grow with the length.",
  "everything_from_video/2 Who and what": "A face, and a video whose motion is read. For your own: Load Image and Load Video in the place of the samples. Get Video Components passes the video's sound on.",
  "everything_from_video/3 Motion": "Head, face and gaze all come from the video. `relative` in Mix Motion takes over only how the head moves, not how it is held.",
  "expression_from_video_head_from_audio/2 Who and what": "A face, and a video whose motion is read. For your own: Load Image and Load Video in the place of the samples. Get Video Components passes the video's sound on.",
  "expression_from_video_head_from_audio/3 Motion": "The face and the gaze come from the video, the head moves to its sound: one wire of Mix Motion says which.",
  "lips_from_audio_head_from_video/2 Who and what": "A face, a voice, and a video whose head and gaze are read. For your own: Load Image, Load Audio and Load Video in the place of the samples.",
  "lips_from_audio_head_from_video/3 Motion": "Lips follow the sound; head and gaze follow the video, which goes back and forth where it is shorter. `relative` in Mix Motion takes over only how the head moves, not how it is held.",
  "full_frame_paste_back/2 Who and what": "Two people in one picture; the mask says who talks. For your own picture: Load Image, and the face painted in its mask editor.",
  "full_frame_paste_back/4 Pictures": "The face crop is drawn, upscaled (any upscaler can stand there), and put back into the whole picture.",
  "official_weights/1 Models": "`official` takes the authors' files under their released names from models/gohd; a missing one is named with the address where it is had (WEIGHTS.md).",
  "official_weights/2 Who and what": "The official weights want a photograph: put Load Image in the place of the sample face. They also need a face detector's files, or ComfyUI's face landmarks; see the help of Prepare Portrait.",
  "official_weights/4 Pictures": "Press Run; Save Video shows the result. Render Video draws straight into the file: its memory does not grow with the length.",
};

const names = (folder) => fs.readdirSync(folder).filter((name) => name.endsWith(".json")).sort();

async function build(page, source, target) {
  for (const name of names(source)) {
    const api = JSON.parse(fs.readFileSync(path.join(source, name), "utf8"));
    const made = await page.evaluate(arranged, { api, notes: NOTES, name });
    fs.writeFileSync(path.join(target, name), JSON.stringify(made, null, 1) + "\n");
    console.log(name, made.nodes.length, "nodes");
  }
}

// Runs in the page: loads an API workflow, puts its nodes into one framed column per group, with a note on top.
async function arranged({ api, notes, name }) {
  await window.app.loadApiJson(api, name);
  const graph = window.app.graph;
  const groups = [...new Set(Object.values(api).map((node) => node._meta.group))].sort();
  const GAP = 50, NOTE = 110, TALL = 1250;
  let left = 60;
  for (const group of groups) {
    const ids = Object.keys(api).filter((id) => api[id]._meta.group === group);
    const members = ids.map((id) => graph.getNodeById(id) ?? graph.getNodeById(Number(id)));
    let x = left, top = 160 + NOTE + GAP, bottom = top, width = 0;
    for (const node of members) {
      const control = node.widgets?.find((widget) => widget.name === "control_after_generate");
      if (control) control.value = "fixed"; // a shipped workflow gives the same result every time
      node.size = [Math.max(node.size[0], 300), node.computeSize()[1]];
      if (top > 400 && top + node.size[1] > TALL) { x += width + GAP; top = 160 + NOTE + GAP; width = 0; }
      node.pos = [x, top];
      top += node.size[1] + GAP;
      width = Math.max(width, node.size[0]);
      bottom = Math.max(bottom, top);
    }
    const right = x + width;
    const note = window.LiteGraph.createNode("MarkdownNote") ?? window.LiteGraph.createNode("Note");
    graph.add(note);
    note.pos = [left, 130];
    note.size = [Math.max(right - left, 300), NOTE];
    note.widgets[0].value = notes[`${name.replace(".json", "")}/${group}`] ?? notes[group];
    const frame = new window.LiteGraph.LGraphGroup(group.replace(/^\d /, ""));
    frame.pos = [left - 20, 60];
    frame.size = [right - left + 40, bottom - 60];
    graph.add(frame);
    left = right + 2 * GAP;
  }
  return graph.serialize();
}

async function check(page, folder) {
  const found = {};
  for (const name of names(folder)) {
    const ui = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
    found[name] = await page.evaluate(async ({ ui, name }) => {
      await window.app.loadGraphData(ui, true, true, name);
      return (await window.app.graphToPrompt()).output;
    }, { ui, name });
  }
  fs.writeFileSync(1, JSON.stringify(found));
}

async function shot(page, file, picture) {
  const ui = JSON.parse(fs.readFileSync(file, "utf8"));
  await page.evaluate(async (ui) => {
    await window.app.loadGraphData(ui, true, true, "shot");
    const nodes = window.app.graph._nodes;
    const right = Math.max(...nodes.map((n) => n.pos[0] + n.size[0])), bottom = Math.max(...nodes.map((n) => n.pos[1] + n.size[1]));
    const canvas = window.app.canvas;
    canvas.ds.scale = Math.min(1750 / (right + 60), 900 / (bottom + 60), 1);
    canvas.ds.offset = [60 / canvas.ds.scale, 0];
    canvas.setDirty(true, true);
  }, ui);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: picture });
}

async function nodes(page, folder, ...wanted) {
  const found = await page.evaluate(
    () => Object.keys(window.LiteGraph.registered_node_types).filter((type) => type.startsWith("GoHD")));
  await page.setViewportSize({ width: 1920, height: 1400 });
  for (const type of wanted.length ? wanted : found) {
    await place(page, type, [500, 150]);
    await nodePicture(page, path.join(folder, `${type}.png`));
  }
}

const { page, close } = await open(url);
try {
  await { build, check, nodes, shot }[command](page, ...folders);
} finally {
  await close();
}
