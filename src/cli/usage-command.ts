import { sumUsage, UsagePart, type UsageSum } from "../usage/usage.ts";
import type { Arguments } from "./arguments.ts";
import { clean } from "./terminal/clean.ts";
import { openScreen } from "./terminal/screen.ts";
import { showTable } from "./terminal/table.ts";
import { withDatabase } from "./with-database.ts";

const columns = ["calls", "input_tokens", "cached_tokens", "output_tokens", "dollars"] as const;
const mostRows = 1_000;

/** Prints the calls, tokens and dollars of models, grouped by the given parts, such as "day" or "graph". Without parts, groups by day. */
export async function usage({ words, texts }: Arguments): Promise<void> {
  const by = (words.length > 0 ? words : ["day"]).map(partIn);
  const since = texts.since === undefined ? undefined : dayIn(texts.since);
  const sums = await withDatabase((pool) => sumUsage(pool, { by, since, limit: mostRows, offset: 0 }));
  if (sums.length === 0) return console.log("No model was called in this time.");
  const rows = sums.map((sum) => [...by.map((part) => clean(shown(sum[part]))), ...columns.map((name) => numberOf(sum, name))]);
  showTable(openScreen(process.stdout), [...by, ...columns.map((name) => name.replace("_", " "))], rows);
  const unpriced = sums.reduce((total, { unpriced_calls }) => total + unpriced_calls, 0);
  if (unpriced > 0) console.log(`${unpriced} of the calls had a model without a price. Set ensemble.prices in langgraph.json.`);
}

const shown = (value: string | null | undefined) => value ?? "(none)";
const numberOf = (sum: UsageSum, name: (typeof columns)[number]) => (name === "dollars" ? sum.dollars.toFixed(4) : String(sum[name]));

function partIn(word: string): UsagePart {
  const { success, data } = UsagePart.safeParse(word);
  if (!success) throw new Error(`"${word}" is not a part of usage. Sum by some of ${UsagePart.options.join(", ")}.`);
  return data;
}

function dayIn(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new Error(`--since is "${text}"; it should be a date such as 2026-11-29.`);
  return time.toISOString().slice(0, 10);
}
