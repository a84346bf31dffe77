import type { Pool } from "pg";
import type { Logger } from "pino";
import { untilDatabaseAnswers } from "../db/failure.ts";
import { newId } from "../db/ids.ts";
import type { BegunCall, CallEnd, CallWatcher, EndCall } from "../patches/timed-calls.ts";
import { type CallTokens, costOf, type Prices, priceOf } from "../usage/prices.ts";
import { addUsage, type Usage } from "../usage/usage.ts";

/** The average number of characters in a token, for endpoints that report no tokens. */
const charactersPerToken = 4;

/** Stores the tokens and the cost of model calls. All attempts of a worker share one meter. */
export interface UsageMeter {
  /** Adds usage. The promise resolves when the usage is stored. It never rejects. */
  add(usage: Usage): Promise<void>;
}

/**
 * Returns the meter of a worker. The usage of calls that end while a statement runs is stored by the next statement. A statement is
 * repeated until the database responds. Each statement has a number, so that its usage counts only once.
 */
export function usageMeter(pool: Pool, log: Logger): UsageMeter {
  const writerId = newId();
  let number = 0;
  let waiting = new Map<string, Usage>();
  let written: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  async function write(after: Promise<void>): Promise<void> {
    await after;
    const usages = [...waiting.values()];
    waiting = new Map();
    written = undefined;
    number += 1;
    const write = { writerId, number, usages };
    await untilDatabaseAnswers(() => addUsage(pool, write)).catch((err) => log.error({ err, usages }, "usage could not be stored"));
  }

  return {
    add(usage) {
      const of = JSON.stringify([usage.key, usage.graphId, usage.model]);
      waiting.set(of, sumOf(waiting.get(of), usage));
      if (!written) last = written = write(last);
      return written;
    },
  };
}

function sumOf(one: Usage | undefined, other: Usage): Usage {
  if (!one) return other;
  return {
    ...other,
    calls: one.calls + other.calls,
    failedCalls: one.failedCalls + other.failedCalls,
    estimatedCalls: one.estimatedCalls + other.estimatedCalls,
    unpricedCalls: one.unpricedCalls + other.unpricedCalls,
    inputTokens: one.inputTokens + other.inputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    dollars: one.dollars + other.dollars,
  };
}

/** The run whose calls are metered. */
interface MeteredRun {
  queueKey: string | null;
  graphId: string;
}

/** Meters the model calls of one attempt, and passes all calls on to another watcher. */
export class MeteredCalls implements CallWatcher {
  readonly #run: MeteredRun;
  readonly #meter: UsageMeter;
  readonly #prices: Prices;
  readonly #next: CallWatcher;
  #stored: Promise<void> = Promise.resolve();

  constructor(run: MeteredRun, { meter, prices }: { meter: UsageMeter; prices: Prices }, next: CallWatcher) {
    this.#run = run;
    this.#meter = meter;
    this.#prices = prices;
    this.#next = next;
  }

  beginCall(call: BegunCall): EndCall {
    const end = this.#next.beginCall(call);
    if (call.kind !== "model") return end;
    return (ended) => {
      end(ended);
      this.#stored = this.#meter.add(this.#usageOf(call.name, ended));
    };
  }

  /** Resolves when the usage of all calls that have ended is stored. */
  stored(): Promise<void> {
    return this.#stored;
  }

  #usageOf(model: string, end: CallEnd): Usage {
    const { tokens, isEstimated } = tokensOf(end);
    const price = priceOf(model, this.#prices);
    return {
      key: this.#run.queueKey ?? "",
      graphId: this.#run.graphId,
      model: storableName(model),
      calls: 1,
      failedCalls: end.outcome === "error" ? 1 : 0,
      estimatedCalls: isEstimated ? 1 : 0,
      unpricedCalls: price ? 0 : 1,
      ...tokens,
      dollars: price ? costOf(tokens, price) : 0,
    };
  }
}

function tokensOf({ outcome, characters, ...reported }: CallEnd): { tokens: CallTokens; isEstimated: boolean } {
  const inputTokens = whole(reported.inputTokens);
  const outputTokens = whole(reported.outputTokens);
  const isEstimated = inputTokens + outputTokens === 0 && outcome === "success" && characters !== undefined;
  if (!isEstimated)
    return { tokens: { inputTokens, cachedTokens: Math.min(whole(reported.cachedTokens), inputTokens), outputTokens }, isEstimated };
  const { read, written } = characters();
  const estimate = (count: number) => Math.ceil(count / charactersPerToken);
  return { tokens: { inputTokens: estimate(read), cachedTokens: 0, outputTokens: estimate(written) }, isEstimated };
}

/** The highest number of tokens that one call can report. No model takes or writes as many. */
const mostTokens = 1_000_000_000;

/** Returns a reported figure as a number that the database stores. Endpoints report fractions, texts and negative numbers too. */
const whole = (value: unknown): number => (typeof value === "number" && value > 0 ? Math.min(Math.round(value), mostTokens) : 0);

const longestName = 200;

/**
 * Returns a model's name in a form that the database accepts, because callers may name any model. A refused name would fail the whole
 * statement, which also contains the usage of other runs.
 */
const storableName = (name: string): string => name.replaceAll("\0", "").slice(0, longestName).toWellFormed();
