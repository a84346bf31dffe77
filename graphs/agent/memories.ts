import { getStore, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";

const mostFound = 5;

const Memory = z.object({ text: z.string() });

/** Stores a text under a name, for later runs on any thread. A text that was stored under this name before is replaced. */
export async function remember(name: string, text: string, config: LangGraphRunnableConfig): Promise<string> {
  await storeOf(config).put(namespaceOf(config), name, { text });
  return `Remembered as "${name}".`;
}

/** Returns the stored texts that match the query, the best match first. */
export async function recall(query: string, config: LangGraphRunnableConfig): Promise<string> {
  const found = await storeOf(config).search(namespaceOf(config), { query, limit: mostFound });
  const lines = found.flatMap(({ key, value }) => {
    const memory = Memory.safeParse(value);
    return memory.success ? [`${key}: ${memory.data.text}`] : [];
  });
  return lines.join("\n") || "Nothing is remembered of that.";
}

function storeOf(config: LangGraphRunnableConfig) {
  const store = getStore(config);
  if (!store) throw new Error("there is no store to remember in");
  return store;
}

/**
 * Returns the store's namespace for memories. The namespace contains the id of the assistant. If the user is known, the namespace also
 * contains the user's identity.
 */
function namespaceOf({ configurable }: LangGraphRunnableConfig): string[] {
  const user: unknown = configurable?.langgraph_auth_user?.identity;
  return ["memories", String(configurable?.assistant_id ?? "nobody"), ...(typeof user === "string" ? [user] : [])];
}
