import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Account } from "./account.ts";
import { type AgentRun, calledBy } from "./agent-run.ts";
import { entryOf, type LedgerEntry } from "./ledger.ts";
import { boxOf } from "./metrics/call-box.ts";
import { addFacts } from "./metrics/open-call.ts";

/** Returns the ledger entry of a failure that no model call has recorded, and reports the entry to the service. */
export function noteFailure(
  run: AgentRun,
  { task, started, status, message }: { task: string; started: number; status: "failed" | "timeout"; message: string },
  config: LangGraphRunnableConfig,
): LedgerEntry {
  const entry = addFacts(entryOf({ ...calledBy(run, started), task }, status, 0, { inputTokens: 0, outputTokens: 0 }, message));
  boxOf(config)?.ended(entry);
  return entry;
}

/** Returns the ledger of an errand. The first entry gets the time for which the errand waited for resources. */
export function withWait(ledger: LedgerEntry[], waitedMs: number): LedgerEntry[] {
  const [first, ...others] = ledger;
  return first && waitedMs > 0 ? [{ ...first, waitedMs }, ...others] : ledger;
}

/**
 * Returns the list `recorded` for an agent's ledger entries, and two functions that fill it. `record` adds the entries of a new call.
 * `resume` adds the entries that an earlier execution has stored, and charges them to the account.
 */
export function recordIn(account: Account) {
  const recorded: LedgerEntry[] = [];
  let isResumed = false;
  return {
    recorded,
    record: (entries: LedgerEntry[]) => void recorded.push(...entries),
    resume(stored: LedgerEntry[]) {
      if (isResumed) return;
      isResumed = true;
      recorded.unshift(...stored);
      account.ended.push(...stored);
    },
  };
}
