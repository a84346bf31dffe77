interface LoopParams {
  config: { configurable?: Record<string, unknown> };
}

interface LoopClass {
  initialize(params: LoopParams): Promise<unknown>;
}

/** Set in the configurable of an attempt that continues another one. Graphs inside inherit it. */
export const resumingKey = "__ensemble_resuming";

/**
 * Lets graphs inside a graph reuse what their finished tasks have stored. LangGraph gives every nested config the key `checkpoint_id`
 * with the value undefined. Its loop takes the key for a replay, in which finished tasks run again (`skipDoneTasks`). An attempt that
 * resumes a run must not repeat them, so this drops the key where it has no value. The loop has no public name. In a release of
 * LangGraph without it nothing is patched, and the test fails.
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
