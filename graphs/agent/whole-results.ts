import { getConfig, getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";

/** The maximum number of characters of a tool result that the model and the state get. The rest is cut off, and only the store has it. */
const longestResult = 8_000;
/** The maximum number of characters of a tool result that the model and the state get if there is no store. */
const longestUnkept = 200_000;
/** The maximum number of characters of a tool result that the store keeps. */
const longestKept = 1_000_000;
const keptMinutes = 30 * 24 * 60;

type Put = (namespace: string[], key: string, value: object, index: false, options: { ttl: number }) => Promise<void>;

/**
 * Returns a tool's result for the model. A long result is cut, and the store keeps the whole text. A note in the cut result names the place
 * in the store.
 */
export async function shortResult(text: string, callId: string, config: LangGraphRunnableConfig): Promise<string> {
  const store = text.length > longestResult ? getStore(getConfig() ?? config) : undefined;
  const most = store ? longestResult : longestUnkept;
  if (text.length <= most) return text;
  const note = `Cut here: ${most} of ${text.length} characters are shown.`;
  if (!store) return `${text.slice(0, most)}\n[${note}]`;
  const namespace = ["tool-results", String(config.configurable?.thread_id ?? "none")];
  await (store.put as unknown as Put).call(store, namespace, callId, { text: text.slice(0, longestKept) }, false, { ttl: keptMinutes });
  return `${text.slice(0, most)}\n[${note} The store has the whole as ${namespace.join("/")}/${callId}.]`;
}
