interface LoopParams {
  config: { configurable?: Record<string, unknown> };
}

interface LoopClass {
  initialize(params: LoopParams): Promise<unknown>;
}

/** The key that marks the `configurable` of an attempt that continues another one. Graphs inside the graph inherit it. */
export const resumingKey = "__ensemble_resuming";

/**
 * Patches LangGraph so that graphs inside a graph reuse what their finished tasks have stored. LangGraph gives every nested config the key
 * `checkpoint_id` with the value undefined. LangGraph's loop takes this key for a replay, in which finished tasks run again
 * (`skipDoneTasks`). An attempt that resumes a run must not repeat finished tasks, so the patch removes the key if it has no value. The
 * class of the loop has no public name. If a release of LangGraph lacks it, nothing is patched, and the test fails.
 *
 * Upstream: https://github.com/langchain-ai/langgraphjs/issues/2667, open. Needed up to @langchain/langgraph 1.4.18 at least.
 */
export async function patchNestedResumption(): Promise<void> {
  const url = new URL("pregel/loop.js", import.meta.resolve("@langchain/langgraph"));
  const { PregelLoop }: { PregelLoop?: LoopClass } = await import(url.href).catch(() => ({}));
  if (!PregelLoop || patched.has(PregelLoop)) return;
  patched.add(PregelLoop);
  const initialize = PregelLoop.initialize.bind(PregelLoop);
  PregelLoop.initialize = (params) => initialize(withoutEmptyCheckpointId(params));
}

const patched = new WeakSet<LoopClass>();

function withoutEmptyCheckpointId(params: LoopParams): LoopParams {
  const { configurable } = params.config;
  if (!configurable?.[resumingKey] || !("checkpoint_id" in configurable) || configurable.checkpoint_id !== undefined) return params;
  const { checkpoint_id, ...rest } = configurable;
  return { ...params, config: { ...params.config, configurable: rest } };
}
