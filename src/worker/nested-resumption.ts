interface LoopParams {
  config: { configurable?: Record<string, unknown> };
}

interface LoopClass {
  initialize(params: LoopParams): Promise<unknown>;
}

/** Set in the configurable of an attempt that goes on where another stopped; graphs inside inherit it. */
export const resumingKey = "__ensemble_resuming";

/**
 * Lets graphs inside a graph use what their finished tasks had stored. LangGraph gives every nested config the key `checkpoint_id`,
 * undefined, and takes the mere key for a replay, in which finished tasks run again (the loop's `skipDoneTasks`). For an attempt that
 * takes a run up again that is wrong: the key is dropped where it says nothing. The loop has no public name; a release of LangGraph
 * in which it cannot be found is run as it is, and the test of this fails.
 */
export async function mendNestedResumption(): Promise<void> {
  const url = new URL("pregel/loop.js", import.meta.resolve("@langchain/langgraph"));
  const { PregelLoop }: { PregelLoop?: LoopClass } = await import(url.href).catch(() => ({}));
  if (!PregelLoop || mended.has(PregelLoop)) return;
  mended.add(PregelLoop);
  const initialize = PregelLoop.initialize.bind(PregelLoop);
  PregelLoop.initialize = (params) => initialize(withoutEmptyCheckpointId(params));
}

const mended = new WeakSet<LoopClass>();

function withoutEmptyCheckpointId(params: LoopParams): LoopParams {
  const { configurable } = params.config;
  if (!configurable?.[resumingKey] || !("checkpoint_id" in configurable) || configurable.checkpoint_id !== undefined) return params;
  const { checkpoint_id, ...rest } = configurable;
  return { ...params, config: { ...params.config, configurable: rest } };
}
