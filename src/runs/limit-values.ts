import { z } from "zod";

const count = z.int().min(0).max(1_000_000);
const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const ratePattern = /^([1-9]\d{0,6})\/([1-9]\d{0,4})?([smhd])$/;

/**
 * The values of a limit in langgraph.json and in the API. A value from the API takes precedence over langgraph.json. Null in the API
 * removes the value of langgraph.json.
 */
export const LimitValues = z.object({
  graphs: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(1_000)
    .nullish()
    .describe("Graphs whose runs the limit counts. Default: the graph with the limit's name."),
  total: count.nullish().describe("How many of the runs may run at once. 0 pauses them."),
  per_key: count.nullish().describe("How many runs of one queue key may run at once."),
  rate: z
    .string()
    .regex(ratePattern, 'must be a number per time, such as "100/m", "5/s" or "10/30s"')
    .nullish()
    .describe("How many of the runs may start in a time, such as `100/m`. The units are `s`, `m`, `h` and `d`."),
  max_waiting: count.nullish().describe("How many runs of one queue key may wait. A request beyond that gets 429."),
  daily_tokens: z
    .int()
    .min(0)
    .nullish()
    .describe("How many tokens the runs of one queue key may use on a day (UTC). When they are used, a request for a new run gets 402."),
  daily_dollars: z
    .number()
    .min(0)
    .nullish()
    .describe("How many dollars the runs of one queue key may cost on a day (UTC). When they are spent, a request for a new run gets 402."),
  shadow: z.boolean().nullish().describe("`true`: the limit only counts what it would refuse."),
});
export type LimitValues = z.infer<typeof LimitValues>;

const otherNames: Record<string, string> = {
  perKey: "per_key",
  maxWaiting: "max_waiting",
  dailyTokens: "daily_tokens",
  dailyDollars: "daily_dollars",
};

/**
 * The schema of a limit's values as people write them. It refuses unknown names, and also accepts spellings such as `perKey`.
 */
export const WrittenLimit = z.preprocess((given) => {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [otherNames[name] ?? name, value]));
}, LimitValues.strict());

/** The values that apply to a limit now, as the columns of its row. If a column is null, the limit does not restrict that number. */
export interface LimitColumns {
  graphs: string[];
  total: number | null;
  perKey: number | null;
  rate: number | null;
  rateSeconds: number | null;
  maxWaiting: number | null;
  dailyTokens: number | null;
  dailyDollars: number | null;
  shadow: boolean;
}

/**
 * Returns the values that apply to a limit. For each name, the value that was set at run time (`override`) comes before the value of
 * langgraph.json (`configured`).
 */
export function inForce(name: string, configured: LimitValues | null, override: LimitValues | null): LimitColumns {
  const {
    graphs,
    total = null,
    per_key = null,
    rate,
    max_waiting = null,
    daily_tokens = null,
    daily_dollars = null,
    shadow,
  } = {
    ...configured,
    ...override,
  };
  const [, amount, times = "1", unit = "s"] = ratePattern.exec(rate ?? "") ?? [];
  return {
    graphs: graphs ?? [name],
    total,
    perKey: per_key,
    rate: amount === undefined ? null : Number(amount),
    rateSeconds: amount === undefined ? null : Number(times) * (units[unit] ?? 1),
    maxWaiting: max_waiting,
    dailyTokens: daily_tokens,
    dailyDollars: daily_dollars,
    shadow: shadow ?? false,
  };
}
