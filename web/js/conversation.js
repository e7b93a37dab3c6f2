// Conversation's inputs that grow are called as locales say: the front end labels them with their plain names.
import { app } from "../../../scripts/app.js";

const NODE = "GoHDConversation";
const GROUP = "more_voices.";

app.registerExtension({
  name: "GoHD.Conversation",
  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    const rename = () => {
      for (const input of node.inputs ?? []) {
        if (input.localized_name && GROUP + input.label === input.name) input.label = undefined;
      }
    };
    const connected = node.onConnectionsChange;
    node.onConnectionsChange = function (...given) {
      connected?.apply(this, given);
      requestAnimationFrame(rename); // a voice that is connected brings the next input
    };
    rename();
    requestAnimationFrame(rename);
  },
});
