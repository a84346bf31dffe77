import { AsyncLocalStorage } from "node:async_hooks";
import { getConfig } from "@langchain/langgraph";
import { type Purse, reserve } from "../account.ts";
import type { LedgerEntry, Spent } from "../ledger.ts";
import { boxOf } from "./call-box.ts";
import { executionOf } from "./executions.ts";
import type { WatchedCall } from "./stalls.ts";

/** The caller of a model call: the agent, its pattern, and the time after which the run counts as stalled. */
export interface Caller {
  agent: string;
  pattern: string;
  stalledSeconds: number | undefined;
}

export interface OpenCall {
  /**
   * Does the work of the call. Each part of an answer that the model sends during this work is recorded as a sign that the call is alive.
   */
  during<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Ends the call. Completes its ledger entries with `addFacts`, and reports the entries to the service. */
  end(entries: LedgerEntry[]): void;
}

const usualStalledSeconds = 60;

/** The model call during which the current code runs. */
const current = new AsyncLocalStorage<WatchedCall>();

/** Records the time at which a model sent a part of its answer. The stall watch then knows that the call is not dead. */
export function noteSign(): void {
  const call = current.getStore();
  if (call) call.signAt = performance.now();
}

/** Begins a model call of an agent. Waits until the budget has room for the call. The stall watch then watches the call until it ends. */
export async function openCall(
  { agent, pattern, stalledSeconds = usualStalledSeconds }: Caller,
  purse: Purse,
  expected: Spent,
  signal: AbortSignal | undefined,
): Promise<OpenCall> {
  const end = await reserve(purse, expected, signal);
  const config = getConfig();
  const { stalls } = executionOf(config);
  const onStall: WatchedCall["onStall"] = (state) => boxOf(config)?.stalled(agent, state);
  const call: WatchedCall = { agent, pattern, stalledSeconds, openedAt: performance.now(), onStall };
  stalls.opened(call);
  return {
    during: (work) => current.run(call, work),
    end(entries) {
      stalls.closed(call);
      for (const entry of entries) current.run(call, () => addFacts(entry));
      for (const entry of entries) boxOf(config)?.ended(entry);
      end(entries);
    },
  };
}

/**
 * Adds two facts to a new ledger entry, if they exist: the time at which a person's answer continued the run, and whether the call stalled
 * as `slow` or `dead`.
 */
export function addFacts(entry: LedgerEntry): LedgerEntry {
  const { resumedAt } = executionOf(getConfig());
  const stalled = current.getStore()?.stalled;
  return Object.assign(entry, resumedAt !== undefined && { resumedAt }, stalled && { stalled });
}
