import { answerOf, api, type Schemas } from "./api.ts";
import { isObject } from "./parts/json-schema.ts";

/** The settings that a new run copies from an earlier run, so that both runs have the same assistant, config and context. */
export interface RunSettings {
  assistant_id: string;
  config?: Record<string, unknown>;
  context?: Record<string, unknown>;
}

/**
 * The keys of a run's config that the service sets. A new run must not copy them. For example, a copied `checkpoint_id` would make the new
 * run start from an old checkpoint.
 */
const own = new Set([
  "run_id",
  "thread_id",
  "graph_id",
  "assistant_id",
  "user-agent",
  "created_by",
  "checkpoint_id",
  "checkpoint_ns",
  "checkpoint_map",
]);
const isOwn = (key: string) => own.has(key) || key.startsWith("__") || key.startsWith("langgraph_");

/**
 * Returns the settings of a run. The API refuses `configurable` and `context` in one request, so `configurable` is left out if there is a
 * context.
 */
export function settingsOf({ assistant_id, kwargs }: Pick<Schemas["Run"], "assistant_id" | "kwargs">): RunSettings {
  const { configurable: given, ...config } = isObject(kwargs.config) ? kwargs.config : {};
  const configurable = Object.fromEntries(Object.entries(isObject(given) ? given : {}).filter(([key]) => !isOwn(key)));
  const context = isObject(kwargs.context) ? kwargs.context : {};
  const hasContext = Object.keys(context).length > 0;
  const settings = { ...config, ...(!hasContext && Object.keys(configurable).length > 0 && { configurable }) };
  return { assistant_id, ...(Object.keys(settings).length > 0 && { config: settings }), ...(hasContext && { context }) };
}

/** Reads the settings of a run. Returns undefined if `runId` is null, or if the run cannot be read, for example because it is deleted. */
export async function readSettings(threadId: string, runId: string | null): Promise<RunSettings | undefined> {
  if (runId === null) return undefined;
  const path = { threadId, runId };
  return answerOf(api.GET("/threads/{threadId}/runs/{runId}", { params: { path } })).then(settingsOf, () => undefined);
}
