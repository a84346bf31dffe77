import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { type Account, newAccount } from "../agent/account.ts";
import type { LedgerEntry } from "../agent/ledger.ts";

/** The state that the scenarios of one segment share in memory while they run. */
export interface SideBySide {
  /** The time in Unix milliseconds at which this process began to work on the segment. Lateness is measured from this time. */
  since: number;
  /** The memory that the process used when it began to work on the segment, in MB. */
  baselineMb: number;
  /** The time in Unix milliseconds at which the first scenario reached the end of the segment. Undefined until then. */
  firstArrival?: number;
  /** The model calls of all scenarios in this segment. */
  account: Account;
  /** The scenarios whose stored ledger entries are already in the account. */
  counted: Set<string>;
}

/** The values that all scenarios of a run share. */
interface Shared {
  segments: Map<number, SideBySide>;
  /** Waits until the run's limit of parallel calls allows another model call. Then calls a function that makes this call. */
  turn?: ReturnType<typeof placesFor>;
}

/**
 * The shared state of each run. The key is an object that LangGraph keeps for one execution of the run. The shared state is not stored.
 * After a crash, the next process begins a new one, and counts the ledger entries that the scenarios have stored.
 */
const runs = new WeakMap<object, Shared>();

function sharedOf({ control }: LangGraphRunnableConfig): Shared {
  const known = control && runs.get(control);
  if (known) return known;
  const fresh: Shared = { segments: new Map() };
  if (control) runs.set(control, fresh);
  return fresh;
}

export const usedMb = () => Math.round(process.memoryUsage.rss() / 2 ** 20);

export function besides(segment: number, config: LangGraphRunnableConfig): SideBySide {
  const { segments } = sharedOf(config);
  const known = segments.get(segment);
  if (known) return known;
  const fresh: SideBySide = { since: Date.now(), baselineMb: usedMb(), account: newAccount(), counted: new Set() };
  segments.set(segment, fresh);
  return fresh;
}

/**
 * Deletes the shared state of a segment that has ended. If all scenarios start again, a new segment gets the same number. Without the
 * deletion, that segment would find the old state.
 */
export const forgetSegment = (segment: number, config: LangGraphRunnableConfig): void => void sharedOf(config).segments.delete(segment);

/** Adds to the account the ledger entries that a scenario stored before a crash or a cancellation. Does so only once for each scenario. */
export function countStored(others: SideBySide, scenario: string, stored: LedgerEntry[]): void {
  if (others.counted.has(scenario)) return;
  others.counted.add(scenario);
  others.account.ended.push(...stored);
}

/** Returns a function that does model calls, at most `count` of them at the same time. All scenarios of a run share this function. */
export function placesOf(config: LangGraphRunnableConfig, count: number) {
  const shared = sharedOf(config);
  shared.turn ??= placesFor(count);
  return shared.turn;
}

function placesFor(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async <Done>(work: () => Promise<Done>, signal: AbortSignal): Promise<Done> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      leave();
    }
  };
}
