import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { enforceBudget, type LedgerEntry } from "../kit/ledger.ts";
import { allowedDirectories, allowedHosts } from "../kit/operator-limits.ts";
import type { ScenarioDefinition } from "../skills/definition.ts";
import type { Job, Skill } from "../skills/skill.ts";
import type { Context } from "./context.ts";
import type { ScenarioProgress } from "./progress.ts";

/** The outcome of one try of a batch. It may have fewer items than requested. */
export type BatchOutcome = { size: number; elapsedMs: number; ledger: LedgerEntry[] } & (
  | { kind: "done"; results: unknown[]; workMs: number; available: number }
  | { kind: "late" }
  | { kind: "failed"; error: Error }
);

interface BatchCall {
  skill: Skill;
  definition: ScenarioDefinition;
  seed: number;
  progress: ScenarioProgress;
  context: Context;
  /** The ledger entries before this segment, and those of sibling scenarios meanwhile. */
  earlier: LedgerEntry[];
  meanwhile: LedgerEntry[];
}

/** Tries the next batch. A failure is an outcome. Only the end of the whole run is rethrown. */
export async function tryBatch(
  { skill, definition, seed, progress, context, earlier, meanwhile }: BatchCall,
  config: LangGraphRunnableConfig,
): Promise<BatchOutcome> {
  const leftMs = definition.timeBudgetSeconds * 1000 - progress.elapsedMs;
  const deadline = AbortSignal.timeout(Math.max(0, Math.ceil(leftMs)));
  const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
  const { dataset: distribution, inputSize, batchSize, complexityMultiplier: complexity } = definition;
  const ledger: LedgerEntry[] = [];
  let noted: number | undefined;
  const job: Job = {
    ...context,
    allowedHosts: allowedHosts(context.allowedHosts),
    allowedDirectories: await allowedDirectories(context.allowedDirectories),
    signal,
    config,
    complexity,
    record(entry) {
      const own = { ...entry, agent: `${definition.name}/${entry.agent}` };
      ledger.push(own);
      meanwhile.push(own);
      enforceBudget([...earlier, ...meanwhile], context.budget);
    },
    worked: (ms) => {
      noted = (noted ?? 0) + ms;
    },
  };
  let startedAt = performance.now();
  let size = Math.min(batchSize, inputSize);
  const spent = () => ({ size, elapsedMs: performance.now() - startedAt, ledger });
  if (leftMs <= 0) return { kind: "late", size, elapsedMs: 0, ledger };
  try {
    signal.throwIfAborted();
    const params = skill.params.parse(definition.skillParams);
    const items = await unlessAborted(Promise.resolve(skill.generate({ size: inputSize, distribution, seed }, params, job)), signal);
    if (items.length === 0) throw new Error("There is nothing to work on.");
    const position = progress.items + progress.failedItems;
    const batch = items.slice(position, position + batchSize);
    size = batch.length;
    startedAt = performance.now(); // generating the items is not part of the skill's time
    const results = await unlessAborted(skill.invoke(batch, params, job), signal);
    const total = spent();
    return { kind: "done", ...total, results, workMs: noted ?? total.elapsedMs, available: items.length };
  } catch (error) {
    config.signal?.throwIfAborted();
    if (deadline.aborted) return { kind: "late", ...spent() };
    return { kind: "failed", ...spent(), error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Stops waiting for a skill that ignores its signal. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
}
