import { authKeys } from "../auth/user.ts";
import { EnsembleSaver } from "../checkpoints/saver.ts";
import { untilDatabaseAnswers } from "../db/failure.ts";
import type { AnyGraph } from "../registry/registry.ts";
import { type Attempt, graphIdOf } from "./attempt.ts";
import type { CallBox } from "./call-box.ts";

// The key is a global symbol, because patterns cannot import the service. graphs/agent/metrics/measured.ts uses the same key to provide the
// function.
const failureKey = Symbol.for("ensemble.failure-metrics");

/**
 * Computes the metrics of a failed run, and compares them with the thresholds in the run's context. Patterns provide this function with
 * their graphs.
 */
type MeasureFailure = (
  run: Reached & { calls: CallBox["calls"]; context: unknown; resumedAt: number | undefined },
) => { metrics: object; alerts: Parameters<CallBox["concluded"]>[0]["alerts"] } | undefined;

/**
 * The values at the last checkpoint of a run, and the nodes that had to run next. The values are undefined if the run has no checkpoint.
 */
interface Reached {
  values: unknown;
  next: readonly string[];
}

/**
 * Returns the metrics of a failed run, and counts the thresholds that the run has crossed. A pattern's last node normally computes the
 * metrics, but a failed run does not reach this node. They are therefore computed from the run's last checkpoint and the agent calls of
 * this attempt. Returns undefined if the graph has no metrics, or if the run has neither stored a step nor called an agent.
 */
export async function metricsOfFailure(attempt: Attempt): Promise<object | undefined> {
  const { deps, claim, box, log } = attempt;
  const { config, context } = claim.kwargs;
  try {
    const graph = await deps.registry.open(graphIdOf(claim), {
      config: { configurable: { ...config.configurable, ...authKeys(claim.user) } },
      checkpointer: new EnsembleSaver(deps.pool),
    });
    const measure: MeasureFailure | undefined = Reflect.get(Object(Reflect.get(graph, "builder")), failureKey);
    if (!measure) return undefined;
    const reached = await untilDatabaseAnswers(() => reachedBy(attempt, graph));
    const measured = measure({ ...reached, calls: box.calls, context: context ?? config.configurable, resumedAt: box.resumedAt });
    // The conflicts between agents are not counted here. If a later run continues this run, that run counts them at its end, and they would
    // otherwise be counted twice.
    if (measured) box.concluded({ conflicts: 0, alerts: measured.alerts });
    return measured?.metrics;
  } catch (err) {
    log.warn({ err }, "the metrics of the failed run could not be computed");
    return undefined;
  }
}

/**
 * Returns the values and the next nodes at the thread's newest checkpoint. If an earlier run has stored this checkpoint, the values are
 * undefined, because they do not belong to this run. A run without an input continues the earlier run, so it gets the values.
 */
async function reachedBy({ claim: { kwargs, runId, threadId } }: Attempt, graph: AnyGraph): Promise<Reached> {
  const { values, metadata, next } = await graph.getState({ configurable: { thread_id: threadId } });
  const isOwn = Reflect.get(Object(metadata), "run_id") === runId || kwargs.input === null;
  return { values: isOwn ? values : undefined, next };
}
