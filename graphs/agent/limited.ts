import { raceWithSignal } from "@langchain/core/runnables";
import type { StructuredToolInterface } from "@langchain/core/tools";

/** Returns the tool with a time limit. When the time is up, the call fails and the tool's signal is aborted. */
export function limited(tool: StructuredToolInterface, seconds: number): StructuredToolInterface {
  const invoke: StructuredToolInterface["invoke"] = async (input, config) => {
    const deadline = AbortSignal.timeout(seconds * 1000);
    const signal = config?.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
    try {
      return await raceWithSignal(tool.invoke(input, { ...config, signal }), signal);
    } catch (error) {
      if (deadline.aborted && !config?.signal?.aborted) throw new Error(`${tool.name} did not answer within ${seconds} s.`);
      throw error;
    }
  };
  return Object.create(tool, { invoke: { value: invoke } });
}
