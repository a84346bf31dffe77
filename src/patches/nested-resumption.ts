interface LoopParams {
  config: { configurable?: Record<string, unknown> };
}

interface LoopClass {
  initialize(params: LoopParams): Promise<unknown>;
}

/** The key of `configurable` that marks an attempt as the continuation of an earlier attempt. Nested graphs inherit this key. */
export const resumingKey = "__ensemble_resuming";

/**
 * Patches LangGraph so that nested graphs do not repeat tasks that an earlier attempt has finished. LangGraph's loop assumes a replay if
 * the nested config has the key `checkpoint_id`, and then runs finished tasks again. LangGraph itself adds this key with the value
 * undefined. The patch removes the key again in attempts that resume a run.
 *
 * LangGraph does not export the loop's class under a public name. If a release of LangGraph lacks the class, nothing is patched, and a test
 * fails.
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
