interface LoopParams {
  config: { configurable?: Record<string, unknown> };
}

interface LoopClass {
  initialize(params: LoopParams): Promise<unknown>;
}

/** The key of `configurable` that marks an attempt as the continuation of an earlier attempt. Nested graphs inherit this key. */
export const resumingKey = "__ensemble_resuming";

/**
 * Patches LangGraph so that nested graphs do not repeat tasks that an earlier attempt has finished. LangGraph gives every nested config the
 * key `checkpoint_id` with the value undefined. If the key is present, LangGraph's loop assumes a replay, and runs finished tasks again.
 * The patch removes the undefined key in attempts that resume a run.
 *
 * The loop's class has no public name. If a release of LangGraph lacks the class, nothing is patched, and a test fails.
 *
 * Upstream: https://github.com/langchain-ai/langgraphjs/issues/2667. @langchain/langgraph 1.4.21 still needs the patch. Version 1.7.3 does
 * not.
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
