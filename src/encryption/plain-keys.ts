/**
 * The keys that are never encrypted, in any document. They hold ids and other data of the service, by which SQL statements and clients find
 * rows. The official LangGraph server leaves the same keys readable.
 */
const plainKeys = new Set([
  "thread_id",
  "run_id",
  "assistant_id",
  "graph_id",
  "checkpoint_id",
  "checkpoint_ns",
  "task_id",
  "__after_seconds__",
  "__request_start_time_ms__",
  "langgraph_version",
  "langgraph_api_version",
  "langgraph_plan",
  "langgraph_host",
  "langgraph_api_url",
  "langgraph_request_id",
  "langgraph_auth_user_id",
  "langgraph_auth_permissions",
]);

/** Tells whether the value of a key is never encrypted. */
export const isPlainKey = (key: string): boolean => plainKeys.has(key) || key.startsWith("__pregel_");
