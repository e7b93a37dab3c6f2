// Drives ComfyUI's own front end in a headless Chromium: makes UI workflows from API ones and reads them back.
//
//   node frontend.mjs build URL API_FOLDER UI_FOLDER [NAME ...]   writes one UI workflow for each API one
//   node frontend.mjs blueprints URL API_FOLDER FOLDER   writes one subgraph blueprint for each source
//   node frontend.mjs check URL UI_FOLDER                prints {name: API format of the UI workflow as loaded}
//   node frontend.mjs overlaps URL UI_FOLDER             prints {name: [nodes that lie over one another]}
//   node frontend.mjs shot URL UI_FILE PICTURE [graph]   takes a screenshot of one, as it opens or as a graph
//   node frontend.mjs queue URL UI_FOLDER [NAME ...]      opens each, presses Run of App mode, prints {name: how it ended}
//   node frontend.mjs refused URL API_FILE SENTENCE       queues one that fails, prints who says why: [our notices, dialogs]
//   node frontend.mjs nodes URL FOLDER [ID ...]          takes a picture of each of our nodes, ID.png
import fs from "node:fs";
import path from "node:path";
import { blueprints } from "./blueprints.mjs";
import { nodePicture, open, place } from "./page.mjs";

const [, , command, url, ...folders] = process.argv;

// Names are bold: Nodes 2.0 shows code on a coloured note as an empty box.
const NOTES = {
  "1 Inputs": "Choose your own picture and sound here, or drop files on the two nodes. Any face will do: a photograph, a painting, a drawing. The only download is the networks that read faces, once.",
  "2 Reading": "Prepare Portrait finds the face and reads it; Encode Audio reads the sound. If there are several faces, paint over one in Load Image's mask editor and connect its mask to face_mask.",
  "3 Motion": "Head, face, eyes and gaze come into Mix Motion by a wire each, so that any of them can be swapped. The same seed gives the same motion.",
  "4 Result": "Press Run. Frames per second are passed along the wires: change them in Animate Portrait alone.",
  // One workflow's own notes.
  "talking_portrait_one_node/4 Result": "Press Run; Save Video shows the result. Another **seed** moves the head another way; **gaze** says what the eyes do.",
  "gaze_left_centre_right/3 Motion": "One speech and one head movement with three directions of gaze (Fig. 1 of the paper). Drag on an eye of Set Gaze to turn it: positive yaw looks to the picture's left.",
  "gaze_path/3 Motion": "The eyes follow the keys of Gaze Path. Press ▶ to play them; drag the iris to set a key at the red line, drag the dots to move keys in time.",
  "motion_strip/4 Result": "Press Run. One frame of the motion at growing strength (Fig. 8 of the paper): from the portrait as it is to the full motion.",
  "one_audio_several_seeds/3 Motion": "One face, one speech, one expression, and three seeds for the head (Fig. 13 of the paper).",
  "edit_save_reuse_motion/3 Motion": "Save Motion keeps the motion in output/gohd, where Load Motion finds it (press R). Edit Motion then makes the head move half as far again, without running a network. A second Mix Motion, with all modes on **relative**, fits the motion to another face.",
  "edit_save_reuse_motion/4 Result": "The edited motion on another face. Render Video draws straight into the file, so a long video needs no more memory than a short one.",
  "everything_from_video/1 Inputs": "A picture, and a video to take the motion from: choose your own here, or drop files on the two nodes.",
  "everything_from_video/2 Reading": "Extract Motion reads head, face and gaze in every frame, and passes the video's sound on.",
  "everything_from_video/3 Motion": "Head, face and gaze all come from the video. **relative** in Mix Motion takes only how the head moves, not how it is held.",
  "expression_from_video_head_from_audio/1 Inputs": "A picture, and a video to take the motion from: choose your own here, or drop files on the two nodes.",
  "expression_from_video_head_from_audio/2 Reading": "Extract Motion reads head, face and gaze in every frame, and passes the video's sound on.",
  "expression_from_video_head_from_audio/3 Motion": "Face and gaze come from the video; the head moves to the video's sound. One wire of Mix Motion decides.",
  "lips_from_audio_head_from_video/1 Inputs": "A picture, a sound, and a video to take head and gaze from: choose your own here, or drop files on the nodes.",
  "lips_from_audio_head_from_video/3 Motion": "Lips follow the sound; head and gaze follow the video, which plays back and forth where it is shorter. **relative** in Mix Motion takes only how the head moves, not how it is held.",
  "full_frame_paste_back/4 Result": "The face is drawn, upscaled (put any upscaler or face restorer there), and pasted back into the whole picture.",
  "expression_editor/1 Inputs": "Choose your own picture here, or drop a file on the node. No sound is needed.",
  "expression_editor/2 Reading": "Prepare Portrait finds the face and reads it.",
  "expression_editor/3 Motion": "Press Run once: from then on the face is drawn as you move the sliders. Expression Path lays such faces over any motion, here over idle life: a smile, and a wink at 2.4 s.",
  "expression_editor/4 Result": "The picture with the face of the sliders, and the video with the faces of the path.",
  "dub_a_video/1 Inputs": "A video of a person who talks, and what they are to say instead: choose your own here, or drop files on the nodes.",
  "dub_a_video/2 Reading": "The portrait is the video's first frame; Encode Audio reads the new sound.",
  "dub_a_video/3 Motion": "The lips follow the sound. **scale** makes them move more or less.",
  "dub_a_video/4 Result": "Render Video with **own_face** keeps the video's own frames and redraws lips, jaw and cheeks alone, at the video's own frames a second (**fps** 0). Long videos need no more memory than short ones.",
  "eye_contact/1 Inputs": "A video of somebody who looks past the camera: choose your own here, or drop a file on the node.",
  "eye_contact/3 Motion": "The eyes are turned to the viewer; blinks stay. **look_up** and **look_left** send them somewhere else; a Gaze Path on **gaze** lets them wander.",
  "eye_contact/4 Result": "Press Run. The video keeps its sound, and long ones need no more memory than short ones. **report** of Eye Contact says how many frames could not be turned all the way.",
  "upscale_model_before_paste_back/1 Inputs": "Choose your own picture and sound. Load Upscale Model needs a file that is not part of the pack; ComfyUI offers to download the one named here. Without a network, put any upscaler's file into models/upscale_models, press R and choose it.",
  "upscale_model_before_paste_back/4 Result": "The face is drawn, enlarged by a model (a face restorer works too), and pasted back into the whole picture.",
  "new_background/1 Inputs": "A picture, a sound, and a new background: choose your own here, or drop files on the nodes.",
  "new_background/4 Result": "Person Mask cuts out the person, frame by frame; Image Composite Masked puts the new background behind. A video's frames will do as well as one picture.",
  "spoken_text_in_a_mood/1 Inputs": "To speak a text instead of a recording, connect the AUDIO of any text-to-speech node to Encode Audio in place of Load Audio.",
  "spoken_text_in_a_mood/2 Reading": "Text-to-speech voices come at any loudness; **match_loudness** evens them out.",
  "spoken_text_in_a_mood/3 Motion": "Set Mood gives the voice a face: one mood and how much of it, or moods over time in **keys**. The lips stay in sync.",
  "spoken_text_in_a_mood/4 Result": "Press Run; Save Video shows the result. Render Video draws straight into the file, so a long video needs no more memory than a short one.",
  "motion_for_other_tools/4 Result": "The motion as files in output/gohd: a CSV as Live Link Face writes it, a VRM avatar's expressions, and curves for Blender (the help of Save Blendshapes has the script that reads them). Load Blendshapes reads all of them back.",
  "driving_video_for_other_models/4 Result": "Above, for LivePortrait: head and shoulders, a still frame, starting from a neutral face. Below, for Wan Animate: the face alone, followed; connect **images** to **face_video** of WanAnimateToVideo, and the character to **reference_image**.",
  "several_speakers/1 Inputs": "Two pictures are put side by side here; with a picture of several people, connect its Load Image straight to Conversation. One voice for each face, from left to right. Empty Audio makes the second one wait.",
  "several_speakers/4 Result": "Press Run: each face speaks with its own voice, and listens while the other speaks. One recording of everybody works too: write in **speakers** who speaks when.",
  "idle_mood_blendshapes/1 Inputs": "Choose your own picture here, or drop a file on the node. No sound is needed.",
  "idle_mood_blendshapes/2 Reading": "Prepare Portrait finds the face and reads it.",
  "idle_mood_blendshapes/3 Motion": "Idle Motion blinks, looks about, breathes, and ends as it began. Set Mood lets moods come and go by its keys. Any other motion can be connected to Set Mood: lips stay in sync.",
  "idle_mood_blendshapes/4 Result": "A video that plays in an endless loop, and the same motion as ARKit blendshapes in output/gohd, for other programs.",
  "official_weights/1 Inputs": "**official** takes the authors' files, under their released names, from models/gohd; if one is missing, the message says where to get it (see WEIGHTS.md).",
  "official_weights/2 Reading": "The official weights also need a face detector's files, or ComfyUI's own face landmarks; see the help of Prepare Portrait.",
  "official_weights/4 Result": "Press Run; Save Video shows the result. Render Video draws straight into the file, so a long video needs no more memory than a short one.",
};

const PACK = { name: "gohd", version: "0.1.0", comfy: "0.29.0" };
const SHOWN = {
  LoadImage: ["image"],
  LoadVideo: ["file"],
  LoadAudio: ["audio"],
  UpscaleModelLoader: ["model_name"],
  GoHDTalkingPortrait: ["seed", "gaze", "expression_scale"],
  GoHDEyeContact: ["strength", "look_up", "look_left"],
  GoHDPersonMask: ["sharpness"],
  GoHDDriverFrames: ["framing"],
  GoHDConversation: ["seed"],
  GoHDSetMood: ["mood", "amount"],
  GoHDExpressionEditor: ["mood", "mood_amount"],
  GoHDExpressionPath: ["keys"],
  GoHDIdleMotion: ["duration", "seed"],
  GoHDGazePath: ["keys"],
  GoHDMotionStrip: ["steps", "strength"],
  GoHDEditMotion: ["scale", "smooth"],
  GoHDSetGaze: ["yaw"],
  GoHDSampleHeadPoses: ["seed", "scale"],
  GoHDExtractMotion: ["smooth"],
  GoHDPredictExpressions: ["scale"],
  SaveVideo: ["filename_prefix"],
};
// Where movement comes from a video, how much of it is in Mix Motion.
const OWN = {
  everything_from_video: { GoHDMixMotion: ["pose_weight", "expression_weight"] },
  expression_from_video_head_from_audio: { GoHDMixMotion: ["expression_weight"] },
  lips_from_audio_head_from_video: { GoHDMixMotion: ["pose_weight"] },
};
// What App mode calls a widget whose own name does not tell there; equal names get numbers.
const CALLED = {
  "LoadVideo.file": "video",
  "GoHDSampleHeadPoses.scale": "head movement",
  "GoHDPredictExpressions.scale": "face movement",
  "GoHDTalkingPortrait.expression_scale": "face movement",
  "GoHDEditMotion.scale": "movement",
  "GoHDMixMotion.pose_weight": "head movement",
  "GoHDMixMotion.expression_weight": "face movement",
  "GoHDSetGaze.yaw": "look left",
  "GoHDEyeContact.look_up": "look up",
  "GoHDEyeContact.look_left": "look left",
  "GoHDMotionStrip.steps": "pictures",
  "GoHDPersonMask.sharpness": "edge sharpness",
  "GoHDSetMood.keys": "moods over time: mood, seconds, amount",
  "GoHDSetMood.amount": "mood amount",
  "GoHDExpressionEditor.mood_amount": "mood amount",
  "GoHDExpressionPath.keys": "faces over time: seconds, sliders",
  "GoHDGazePath.keys": "gaze over time: seconds, up°, left°",
  "SaveVideo.filename_prefix": "save as",
  "UpscaleModelLoader.model_name": "upscale model",
  "dub_a_video/7.scale": "lip movement",
  "new_background/12.image": "background",
  "gaze_left_centre_right/8.yaw": "look left, 1st",
  "gaze_left_centre_right/11.yaw": "look left, 2nd",
  "gaze_left_centre_right/14.yaw": "look left, 3rd",
  "driving_video_for_other_models/9.framing": "framing for LivePortrait",
  "driving_video_for_other_models/10.framing": "framing for Wan Animate",
  "edit_save_reuse_motion/1.image": "first face",
  "edit_save_reuse_motion/14.image": "another face",
  "several_speakers/1.image": "left picture",
  "several_speakers/2.image": "right picture",
  "several_speakers/3.audio": "voice 1",
  "several_speakers/4.audio": "voice 2",
};
const TALL = { keys: 140 }; // pixels of texts in App mode
const MODELS = {
  UpscaleModelLoader: [{
    name: "RealESRGAN_x4plus.safetensors",
    url: "https://huggingface.co/Comfy-Org/Real-ESRGAN_repackaged/resolve/main/RealESRGAN_x4plus.safetensors",
    directory: "upscale_models",
  }],
};
const MOST = 5;

const names = (folder) => fs.readdirSync(folder).filter((name) => name.endsWith(".json")).sort();

// What App mode shows of a workflow: who and what, and the two or three widgets that matter most; what they are called.
function app(api, stem) {
  const inputs = [];
  const { GoHDExtractMotion, SaveVideo, ...others } = SHOWN;
  const shown = { ...others, ...(OWN[stem] ?? { GoHDExtractMotion }), SaveVideo };
  for (const [type, widgets] of Object.entries(shown)) {
    const found = Object.keys(api).filter((id) => api[id].class_type === type);
    // Where keys say the mood, the mood and amount above them count for nothing.
    const kept = type === "GoHDSetMood" && found.some((id) => api[id].inputs.keys) ? ["keys"] : widgets;
    for (const widget of kept) for (const id of found) inputs.push([Number(id), widget]);
  }
  inputs.length = Math.min(inputs.length, MOST);
  const called = inputs.map(([id, widget]) =>
    CALLED[`${stem}/${id}.${widget}`] ?? CALLED[`${api[id].class_type}.${widget}`] ?? widget);
  const times = (name) => called.filter((each) => each === name).length;
  const labels = called.map((name, k) =>
    times(name) > 1 ? `${name} ${called.slice(0, k + 1).filter((each) => each === name).length}` : name);
  const kept = Object.keys(api).filter((id) => ["SaveVideo", "SaveImage", "GoHDSaveBlendshapes"].includes(api[id].class_type));
  return {
    labels: inputs.map(([id, widget], k) => [id, widget, labels[k]]).filter(([, widget, label]) => label !== widget),
    data: {
      inputs: inputs.map(([id, widget]) => (TALL[widget] ? [id, widget, { height: TALL[widget] }] : [id, widget])),
      outputs: kept.map(Number),
    },
  };
}

async function build(page, source, target, ...wanted) {
  for (const name of names(source).filter((each) => !wanted.length || wanted.includes(each.replace(".json", "")))) {
    const api = JSON.parse(fs.readFileSync(path.join(source, name), "utf8"));
    const stem = name.replace(".json", "");
    const made = await page.evaluate(arranged, { api, notes: NOTES, name: stem, pack: PACK, app: app(api, stem), models: MODELS });
    fs.writeFileSync(path.join(target, name), JSON.stringify(made, null, 1) + "\n");
    console.log(name, made.nodes.length, "nodes");
  }
}

// Runs in the page: loads an API workflow and lays it out from left to right: a column for every step, a framed
// group with a note for every topic. A wire past a column runs above or below all nodes, through reroutes.
async function arranged({ api, notes, name, pack, app, models }) {
  await window.app.loadApiJson(api, name);
  await new Promise((done) => setTimeout(done, 600));
  const graph = window.app.graph;
  const { LiteGraph } = window;
  const APART = 60, NOTE = 120, TOP = 60, TITLE = 30, LANE = 22;
  const MEDIA = { LoadImage: 360, LoadAudio: 150, LoadVideo: 460, SaveVideo: 420, SaveImage: 300, PreviewImage: 300 };
  // Nodes that grow by a picture while they run or after.
  const GROWS = ["GoHDTalkingPortrait", "GoHDConversation", "GoHDAnimatePortrait", "GoHDRenderVideo", "GoHDMotionStrip",
    "GoHDDriverFrames", "GoHDPlotMotion"];
  const PICTURE = 210;
  const PADS = { GoHDExpressionEditor: [460, 0], GoHDExpressionPath: [460, 60], GoHDGazePath: [400, 60] }; // as they begin
  const node = (id) => graph.getNodeById(id) ?? graph.getNodeById(Number(id));
  const sources = (id) => Object.values(api[id].inputs).filter(Array.isArray).map(([from]) => from);

  // Columns: within a group as long as the longest way there; groups one after the other.
  const groups = [...new Set(Object.values(api).map((each) => each._meta.group))].sort();
  const column = {};
  let first = 0;
  const bounds = {};
  for (const group of groups) {
    const members = Object.keys(api).filter((id) => api[id]._meta.group === group);
    const depth = (id) => Math.max(first, ...sources(id).filter((from) => members.includes(from)).map((from) => depth(from) + 1));
    for (const id of members) column[id] = depth(id);
    bounds[group] = [first, Math.max(...members.map((id) => column[id]))];
    first = bounds[group][1] + 1;
  }

  // Rows: as in the file, but each column sorted by the highest that its wires come from.
  const columns = Array.from({ length: first }, (_, k) => Object.keys(api).filter((id) => column[id] === k));
  const row = {};
  columns.forEach((ids, k) => {
    const from = (id) => (k ? Math.min(...sources(id).map((each) => row[each])) : Object.keys(api).indexOf(id));
    ids.sort((a, b) => from(a) - from(b) || Number(a) - Number(b));
    ids.forEach((id, place) => { row[id] = (place + 0.5) / ids.length; });
  });

  // Places, from 0 downwards; a long column keeps more room beside it, as steep wires bulge.
  const lefts = [], rights = [], gaps = [];
  let left = 60, bottom = 0;
  columns.forEach((ids) => {
    let top = 0, width = 0;
    for (const id of ids) {
      const each = node(id);
      const control = each.widgets?.find((widget) => widget.name === "control_after_generate");
      if (control) control.value = "fixed"; // a shipped workflow gives the same result every time
      // What the API workflow leaves out: the front end may still hold what the last node of that number had.
      const { required, optional } = LiteGraph.registered_node_types[each.type].nodeData.input;
      for (const widget of each.widgets ?? []) {
        const begin = { ...required, ...optional }[widget.name]?.[1]?.default;
        if (begin !== undefined && !(widget.name in api[id].inputs)) widget.value = begin;
      }
      const least = each.computeSize();
      const [wide, more] = PADS[each.type] ?? [320, 0];
      const media = MEDIA[each.type]; // these may hold a picture of the last node of that number, which widens them
      each.size = media ? [wide, media] : [Math.max(least[0], wide), least[1] + more];
      each.pos = [left, top];
      const own = each.type.startsWith("GoHD");
      each.properties.cnr_id = own ? pack.name : "comfy-core";
      each.properties.ver = own ? pack.version : pack.comfy;
      if (models[each.type]) each.properties.models = models[each.type];
      for (const [, widget, label] of app.labels.filter(([of]) => of === Number(id))) {
        each.inputs.find((input) => input.widget?.name === widget).label = label;
      }
      top += each.size[1] + TITLE + APART + (GROWS.includes(each.type) ? PICTURE : 0);
      width = Math.max(width, each.size[0]);
    }
    for (const id of ids) node(id).size[0] = width; // or a wire of a narrower one would cross its neighbour
    lefts.push(left);
    rights.push(left + width);
    gaps.push(top > 900 ? 300 : 160);
    bottom = Math.max(bottom, top - APART - TITLE);
    left += width + gaps.at(-1);
  });

  // Wires past a column take a lane above or below all nodes, whichever is nearer to both ends.
  const links = [...(graph.links.values?.() ?? Object.values(graph.links))];
  const lanes = { above: [], below: [] };
  const past = {};
  for (const link of links) {
    const from = String(link.origin_id), to = String(link.target_id);
    if (column[to] - column[from] > 1) (past[`${from}.${link.origin_slot}`] ??= []).push(link);
  }
  for (const through of Object.values(past)) {
    const from = String(through[0].origin_id);
    const ends = [from, ...through.map((link) => String(link.target_id))].map((id) => node(id).pos[1]);
    const middle = ends.reduce((a, b) => a + b, 0) / ends.length;
    lanes[middle > bottom / 3 ? "below" : "above"].push({ from, links: through });
  }
  lanes.above.sort((a, b) => column[a.from] - column[b.from]);
  const start = TOP + 70 + NOTE + 40 + lanes.above.length * LANE + TITLE;
  for (const id of Object.keys(api)) node(id).pos = [node(id).pos[0], node(id).pos[1] + start];
  bottom += start;

  const lay = (side, base, step) => lanes[side].forEach((lane, place) => {
    const y = base + step * place;
    const last = Math.max(...lane.links.map((link) => column[String(link.target_id)]));
    let parent;
    for (let k = column[lane.from]; k < last; k++) {
      const through = lane.links.filter((link) => column[String(link.target_id)] > k);
      const x = rights[k] + gaps[k] / 2;
      const made = graph.setReroute({ parentId: parent, pos: [x, y], linkIds: through.map((link) => link.id) });
      for (const link of through) link.parentId = made.id;
      parent = made.id;
    }
  });
  lay("above", start - TITLE - LANE, -LANE);
  lay("below", bottom + LANE, LANE);
  bottom += lanes.below.length * LANE;

  for (const group of groups) {
    const [from, to] = bounds[group];
    const x = lefts[from], width = rights[to] - x;
    const note = LiteGraph.createNode("MarkdownNote") ?? LiteGraph.createNode("Note");
    graph.add(note);
    note.title = "Note";
    note.pos = [x, TOP + 70];
    note.size = [Math.min(width, 660), NOTE];
    note.widgets[0].value = notes[`${name}/${group}`] ?? notes[group];
    const frame = new LiteGraph.LGraphGroup(group.replace(/^\d /, ""));
    frame.pos = [x - 30, TOP];
    frame.size = [width + 60, bottom - TOP + 40];
    graph.add(frame);
  }
  const made = graph.serialize();
  // The graph opens as large as a screen of 1600 pixels has room for it, yet so that the front end still writes text.
  const scale = Math.min(0.9, Math.max(0.6, Math.min(1500 / (rights.at(-1) + 30), 840 / (bottom + 40))));
  made.extra.ds = { scale: Math.round(100 * scale) / 100, offset: [80 / scale - 30, 90 / scale - TOP].map(Math.round) };
  made.extra.linearMode = true;
  made.extra.linearData = app.data;
  return made;
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

// By the boxes as they are drawn: what is saved, or what a node computes where that is more; title included.
async function overlaps(page, folder) {
  const found = {};
  for (const name of names(folder)) {
    const ui = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
    ui.extra.linearMode = false;
    found[name] = await page.evaluate(async ({ ui, name }) => {
      await window.app.loadGraphData(ui, true, true, name);
      await new Promise((done) => setTimeout(done, 1200));
      const nodes = window.app.graph._nodes.map((node) => {
        const least = node.computeSize();
        const [width, height] = [0, 1].map((k) => Math.max(node.size[k], least[k]));
        return { title: node.title, left: node.pos[0], top: node.pos[1] - 30, right: node.pos[0] + width, bottom: node.pos[1] + height };
      });
      return nodes.flatMap((a, k) => nodes.slice(k + 1)
        .filter((b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 4
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
        .map((b) => `${a.title} over ${b.title}`));
    }, { ui, name });
  }
  fs.writeFileSync(1, JSON.stringify(found));
}

async function shot(page, file, picture, mode) {
  const ui = JSON.parse(fs.readFileSync(file, "utf8"));
  if (mode === "graph") ui.extra.linearMode = false;
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

// As a user does in App mode: the workflow opens with its few inputs, and Run is pressed.
async function queue(page, folder, ...wanted) {
  const found = {};
  for (const name of names(folder).filter((each) => !wanted.length || wanted.includes(each.replace(".json", "")))) {
    const ui = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
    const before = await page.evaluate(async ({ ui, name }) => {
      await window.app.loadGraphData(ui, true, true, name);
      return Object.keys(await (await fetch("/history")).json());
    }, { ui, name });
    const run = page.getByRole("button", { name: "Run", exact: true }).last();
    await run.waitFor({ timeout: 15000 });
    await run.click();
    found[name] = await page.evaluate(async (before) => {
      for (let k = 0; k < 1200; k++) {
        await new Promise((done) => setTimeout(done, 500));
        const history = await (await fetch("/history")).json();
        const made = Object.keys(history).find((id) => !before.includes(id));
        if (made) return history[made].status.status_str;
      }
      return "did not end";
    }, before);
  }
  fs.writeFileSync(1, JSON.stringify(found));
}

async function refused(page, file, sentence) {
  const graph = JSON.parse(fs.readFileSync(file, "utf8"));
  await page.evaluate(async (graph) => {
    await window.app.loadApiJson(graph, "refused");
    await window.app.queuePrompt(0, 1);
  }, graph);
  const said = () => page.evaluate((sentence) => [".p-toast-message", ".p-dialog"].map((kind) =>
    [...document.querySelectorAll(kind)].filter((shown) => shown.innerText.includes(sentence)).length), sentence);
  for (let k = 0; k < 60 && !(await said()).some(Boolean); k++) await page.waitForTimeout(500);
  await page.waitForTimeout(2000); // another may say it again
  fs.writeFileSync(1, JSON.stringify(await said()));
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
  await { blueprints, build, check, nodes, overlaps, queue, refused, shot }[command](page, ...folders);
} finally {
  await close();
}
