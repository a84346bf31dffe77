import type { State, Timeline } from "./data.ts";

/** The tokens and dollars that one agent has used in a run. */
export interface Share {
  agent: string;
  calls: number;
  input: number;
  output: number;
  dollars: number;
}

export interface Spending {
  calls: number;
  dollars: number;
  shares: Share[];
}

interface Entry {
  agent?: unknown;
  at?: unknown;
  inputTokens?: unknown;
  outputTokens?: unknown;
  dollars?: unknown;
}

/** The assumed maximum error of a worker's clock, in milliseconds. The times in a ledger come from that clock. */
const toleranceMs = 2_000;

/**
 * Returns the cost of a run according to the ledger in the run's state. Returns undefined if the state has no ledger. Entries of earlier
 * runs of the thread do not count.
 */
export function spendingOf(state: State | null | undefined, timeline: Timeline | undefined): Spending | undefined {
  const ledger = (state?.values as { ledger?: unknown } | null | undefined)?.ledger;
  if (!Array.isArray(ledger)) return undefined;
  const since = Date.parse(timeline?.started_at ?? "") - toleranceMs;
  const own = (ledger as (Entry | null)[]).filter((entry) => entry && !(Date.parse(String(entry.at)) < since));
  const shares = new Map<string, Share>();
  for (const entry of own) {
    const agent = String(entry?.agent ?? "(unnamed)");
    const { calls, input, output, dollars: spent } = shares.get(agent) ?? { calls: 0, input: 0, output: 0, dollars: 0 };
    shares.set(agent, {
      agent,
      calls: calls + 1,
      input: input + amount(entry?.inputTokens),
      output: output + amount(entry?.outputTokens),
      dollars: spent + amount(entry?.dollars),
    });
  }
  const sorted = [...shares.values()].sort((a, b) => b.dollars - a.dollars || b.input + b.output - a.input - a.output);
  return { calls: own.length, dollars: sorted.reduce((sum, share) => sum + share.dollars, 0), shares: sorted };
}

const amount = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

/** Returns an amount of money such as "$0.0042". Small amounts keep two significant digits. */
export function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value >= 1) return `$${value.toFixed(2)}`;
  return `$${Number(value.toPrecision(2)).toFixed(Math.min(8, Math.max(2, 1 - Math.floor(Math.log10(value)))))}`;
}
