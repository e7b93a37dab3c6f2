// Subgraph blueprints in the form of ComfyUI's own, from sources that say which nodes, inputs, widgets and outputs.
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const PACK = { cnr_id: "gohd", ver: "0.1.0" };
const CORE = { cnr_id: "comfy-core", ver: "0.29.0" };
const INPUT = -10, OUTPUT = -20, APART = 80, TITLE = 30;

// The same name gives the same id every time.
const uuid = (text) => {
  const hex = createHash("sha256").update(`comfyui-gohd ${text}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
};

export async function blueprints(page, source, target) {
  for (const name of fs.readdirSync(source).filter((each) => each.endsWith(".json")).sort()) {
    const given = JSON.parse(fs.readFileSync(path.join(source, name), "utf8"));
    const graph = await page.evaluate(arranged, { api: given.nodes, apart: APART, title: TITLE });
    fs.writeFileSync(path.join(target, name), JSON.stringify(blueprint(given, graph), null, 1) + "\n");
  }
}

// Runs in the page: the nodes in columns, from left to right.
async function arranged({ api, apart, title }) {
  await window.app.loadApiJson(api, "blueprint");
  await new Promise((done) => setTimeout(done, 600));
  const graph = window.app.graph;
  const sources = (id) => Object.values(api[id].inputs).filter(Array.isArray).map(([from]) => from);
  const depth = (id) => Math.max(-1, ...sources(id).map(depth)) + 1;
  const tops = {};
  for (const id of Object.keys(api)) {
    const node = graph.getNodeById(id) ?? graph.getNodeById(Number(id));
    const control = node.widgets?.find((widget) => widget.name === "control_after_generate");
    if (control) control.value = "fixed";
    const least = node.computeSize();
    node.size = [Math.max(least[0], 320), least[1]];
    const column = depth(id);
    node.pos = [column * (320 + apart * 2), tops[column] ?? 0];
    tops[column] = node.pos[1] + node.size[1] + title + apart;
  }
  return graph.serialize();
}

function blueprint(given, graph) {
  const nodes = graph.nodes.map((node) => ({
    ...node, properties: { ...node.properties, ...(node.type.startsWith("GoHD") ? PACK : CORE) },
  }));
  const links = graph.links.map(([id, origin_id, origin_slot, target_id, target_slot, type]) =>
    ({ id, origin_id, origin_slot, target_id, target_slot, type }));
  const of = (id) => nodes.find((node) => node.id === Number(id));
  let last = graph.last_link_id;
  const left = -320, right = Math.max(...nodes.map((node) => node.pos[0] + node.size[0])) + 160;

  const into = (slot, type, id, name) => {
    const node = of(id), at = node.inputs.findIndex((input) => input.name === name);
    links.push({ id: ++last, origin_id: INPUT, origin_slot: slot, target_id: node.id, target_slot: at, type });
    node.inputs[at].link = last;
    return last;
  };
  const wired = Object.entries(given.inputs).map(([name, [type, targets]]) => ({ name, type, targets }));
  const promoted = given.widgets.map(([id, name, label]) => {
    const type = of(id).inputs.find((input) => input.name === name).type;
    return { name, label, type, targets: [[id, name]], widget: true };
  });
  const shown = (label) => (label ? { label } : {});
  const inputs = [...wired, ...promoted].map(({ name, label, type, targets }, slot) => ({
    id: uuid(`${given.name} in ${name}`), name, ...shown(label), type, linkIds: targets.map(([id, input]) => into(slot, type, id, input)),
    localized_name: name, pos: [left + 100, 20 + 20 * slot],
  }));
  const outputs = Object.entries(given.outputs).map(([name, [type, [id, from]]], slot) => {
    links.push({ id: ++last, origin_id: Number(id), origin_slot: from, target_id: OUTPUT, target_slot: slot, type });
    (of(id).outputs[from].links ??= []).push(last);
    return { id: uuid(`${given.name} out ${name}`), name, type, linkIds: [last], localized_name: name, pos: [right + 20, 20 + 20 * slot] };
  });

  const id = uuid(given.name), outer = graph.last_node_id + 1;
  const widgets = given.widgets.map(([of, name]) => [of, name]);
  return {
    revision: 0, last_node_id: outer, last_link_id: 0,
    nodes: [{
      id: outer, type: id, pos: [0, 0], size: [360, 120 + 26 * widgets.length], flags: {}, order: 0, mode: 0,
      inputs: [
        ...wired.map(({ name, type }) => ({ name, localized_name: name, type, link: null })),
        ...promoted.map(({ name, label, type }) => ({ name, ...shown(label), type, widget: { name }, link: null })),
      ],
      outputs: outputs.map(({ name, type }) => ({ name, localized_name: name, type, links: [] })),
      title: given.name, properties: { proxyWidgets: widgets, ...PACK }, widgets_values: [],
    }],
    links: [], version: 0.4,
    definitions: {
      subgraphs: [{
        id, version: 1,
        state: { lastGroupId: 0, lastNodeId: outer, lastLinkId: last, lastRerouteId: 0 },
        revision: 0, config: {}, name: given.name,
        inputNode: { id: INPUT, bounding: [left, 0, 120, 40 + 20 * inputs.length] },
        outputNode: { id: OUTPUT, bounding: [right, 0, 120, 40 + 20 * outputs.length] },
        inputs, outputs, widgets: [], nodes, groups: [], links,
        extra: { workflowRendererVersion: "LG" }, category: given.category, description: given.description,
      }],
    },
    extra: {},
  };
}
