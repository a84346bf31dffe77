import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { type Account, reserve } from "../agent/account.ts";
import { costOf, enforceBudget, type LedgerEntry } from "../agent/ledger.ts";
import { boxOf } from "../agent/metrics/call-box.ts";
import { addFacts } from "../agent/metrics/open-call.ts";
import { allowedDirectories, allowedHosts } from "../agent/operator-limits.ts";
import type { ScenarioDefinition } from "../skills/definition.ts";
import type { Batch, Job, Skill } from "../skills/skill.ts";
import type { ScenarioContext } from "./context.ts";
import type { ScenarioProgress } from "./progress.ts";
import { placesOf } from "./side-by-side.ts";

/** The outcome of one attempt at a batch. The batch may have fewer items than requested. */
export type BatchOutcome = { size: number; elapsedMs: number; ledger: LedgerEntry[] } & (
  | ({ kind: "done"; workMs: number; available: number } & Batch<unknown>)
  | { kind: "late" }
  | { kind: "failed"; error: Error }
);

interface BatchCall {
  skill: Skill;
  definition: ScenarioDefinition;
  seed: number;
  progress: ScenarioProgress;
  context: ScenarioContext;
  /** The ledger entries from before this segment. The calls of this segment are in `account`. */
  earlier: LedgerEntry[];
  account: Account;
}

/** Works on the next batch once, and returns the outcome. A failure is also an outcome. Throws only if the run is aborted. */
export async function tryBatch(call: BatchCall, config: LangGraphRunnableConfig): Promise<BatchOutcome> {
  const { skill, definition, seed, progress } = call;
  const leftMs = definition.timeBudgetSeconds * 1000 - progress.elapsedMs;
  const deadline = AbortSignal.timeout(Math.max(0, Math.ceil(leftMs)));
  const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
  const { dataset: distribution, inputSize, complexityMultiplier: complexity } = definition;
  const { job, ledger, noted } = await jobOf(call, signal, config);
  let startedAt = performance.now();
  let size = Math.min(progress.batchSize, inputSize);
  const spent = () => ({ size, elapsedMs: performance.now() - startedAt, ledger });
  if (leftMs <= 0) return { kind: "late", size, elapsedMs: 0, ledger };
  try {
    signal.throwIfAborted();
    const params = skill.params.parse(definition.skillParams);
    const dataset = { size: inputSize, distribution, seed, complexity };
    const items = await unlessAborted(Promise.resolve(skill.generate(dataset, params, job)), signal);
    if (items.length === 0) throw new Error("There is nothing to work on.");
    const position = progress.items + progress.failedItems;
    const batch = items.slice(position, position + progress.batchSize);
    size = batch.length;
    startedAt = performance.now(); // the time for generating the items is not part of the skill's time
    const { results, failed } = readBatch(await unlessAborted(skill.invoke(batch, params, job), signal), size);
    const total = spent();
    return { kind: "done", ...total, results, failed, workMs: noted() ?? total.elapsedMs, available: items.length };
  } catch (error) {
    config.signal?.throwIfAborted();
    if (deadline.aborted) return { kind: "late", ...spent() };
    return { kind: "failed", ...spent(), error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Returns the `Job` for the skill, the ledger that the skill fills, and a function that reads the working time that the skill noted. */
async function jobOf(call: BatchCall, signal: AbortSignal, config: LangGraphRunnableConfig) {
  const { definition, context, earlier, account } = call;
  const ledger: LedgerEntry[] = [];
  let workedMs: number | undefined;
  const turn = placesOf(config, context.limits.parallel);
  const purse = { budget: context.budget, earlier, account };
  const job: Job = {
    ...context,
    allowedHosts: allowedHosts(context.allowedHosts),
    allowedDirectories: await allowedDirectories(context.allowedDirectories),
    signal,
    config,
    complexity: definition.complexityMultiplier,
    turn: (work) =>
      turn(async () => {
        const end = await reserve(purse, expectedOf(call), signal);
        return work().finally(() => end([])); // `end` gets no entries, because the skill itself records the call
      }, signal),
    record(entry) {
      const own = { ...entry, agent: `${definition.name}/${entry.agent}` };
      ledger.push(addFacts(own));
      boxOf(config)?.ended(own);
      account.ended.push(own);
      enforceBudget([...earlier, ...account.ended], context.budget);
    },
    worked: (ms) => {
      workedMs = (workedMs ?? 0) + ms;
    },
  };
  return { job, ledger, noted: () => workedMs };
}

/** Returns the expected cost of one model call, from the skill's estimate of the tokens. */
function expectedOf({ skill, definition, context }: BatchCall) {
  const { input: inputTokens, output: outputTokens } = skill.tokens(
    skill.params.parse(definition.skillParams),
    definition.complexityMultiplier,
  );
  const dollars = costOf(context.models.worker, { inputTokens, outputTokens }, context.budget);
  return { tokens: inputTokens + outputTokens, dollars };
}

/** Validates the result of a skill. Each failed item must be in the batch and be named only once. */
function readBatch(returned: unknown[] | Batch<unknown>, size: number): Batch<unknown> {
  if (Array.isArray(returned)) return { results: returned, failed: [] };
  const places = new Set(returned.failed.map(({ index }) => index));
  const isOf = (index: number) => Number.isInteger(index) && index >= 0 && index < size;
  if (places.size < returned.failed.length || ![...places].every(isOf)) {
    throw new Error(`The skill reports failed items that are not in its batch of ${size}, or reports one twice.`);
  }
  return returned;
}

/** Waits for a skill's work, and rejects as soon as the signal is aborted. This is needed because a skill may ignore its signal. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", abort));
}
