// What is wrong, in the sentence of a node of ours, where the front end keeps it for a panel of errors.
import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const OURS = "GoHD";
const REFUSED = "custom_validation_failed";
const PANEL = "Comfy.RightSidePanel.ShowErrorsTab"; // where it is on, no dialog says what is wrong
const SHOWN = 20_000; // milliseconds

const titleOf = (type) => window.LiteGraph?.registered_node_types?.[type]?.title ?? type;

function show(type, sentence) {
  const { setting, toast } = app.extensionManager ?? {};
  if (setting?.get?.(PANEL)) toast?.add?.({ severity: "error", summary: titleOf(type), detail: sentence, life: SHOWN });
}

/** Shows what nodes of ours refused before a run: node_errors of the server's answer to a prompt. */
function showRefusals(nodes) {
  for (const { class_type: type, errors } of Object.values(nodes ?? {})) {
    for (const { type: kind, details, extra_info: extra } of type.startsWith(OURS) ? errors : []) {
      if (kind === REFUSED) show(type, details.replace(`${extra.input_name} - `, ""));
    }
  }
}

app.registerExtension({
  name: "GoHD.NodeErrors",
  setup() {
    const queue = api.queuePrompt;
    api.queuePrompt = async function (...given) {
      try {
        const answer = await queue.apply(this, given);
        showRefusals(answer?.node_errors); // another output of the graph runs all the same
        return answer;
      } catch (error) {
        showRefusals(error.response?.node_errors);
        throw error;
      }
    };
    api.addEventListener("execution_error", ({ detail }) => {
      if (detail.node_type?.startsWith(OURS)) show(detail.node_type, detail.exception_message.trim());
    });
  },
});
