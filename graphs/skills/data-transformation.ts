import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { profile } from "./definition.ts";
import { generateOrders, type Order, parseOrder, regionOf } from "./orders.ts";
import { defineSkill } from "./skill.ts";

const Params = z.object({
  similarity: z.number().min(0).max(1).default(0.85).describe("Similarity from which two orders count as duplicates"),
});

const Result = z.object({
  order: z.number().int(),
  region: z.string().nullable().describe("Null when the line could not be read"),
  amount: z.number(),
  duplicateOf: z.number().int().nullable().describe("Earlier order that the order repeats, as the skill found it"),
  truth: z.number().int().nullable().describe("Earlier order that the order really repeats"),
  readable: z.boolean().describe("Whether the line was generated intact"),
  comparisons: z.number().int(),
});

type Result = z.infer<typeof Result>;

/** An order to process, together with all orders of the input, because the order may repeat an earlier one. */
interface Item {
  order: Order;
  all: Order[];
}

/**
 * Reads lines of orders, joins them with their customers, finds duplicates of earlier orders, and sums the orders by region. Each order is
 * compared with all earlier ones, so the time grows with the square of the input. The complexity of a scenario sets the number of products
 * in an order.
 */
export const dataTransformation = defineSkill<Item, Result, z.infer<typeof Params>>({
  name: "data-transformation",
  version: "1.0.0",
  description: "Reads, joins, deduplicates, groups and sorts generated records",
  params: Params,
  result: Result,
  scenarios: () => profile("quadratic", 100, [20, 25, 30]),

  generate(dataset) {
    const orders = generateOrders(dataset);
    return orders.map((order) => ({ order, all: orders }));
  },

  async invoke(batch, { similarity }, { signal, worked }) {
    const results: Result[] = [];
    for (const item of batch) {
      signal.throwIfAborted();
      const startedAt = performance.now();
      results.push(transform(item, similarity));
      worked(performance.now() - startedAt); // recorded here, because the next line lets other scenarios use the processor
      await nextTurn();
    }
    return results;
  },

  score(results) {
    const whole = results.filter(({ readable }) => readable);
    const right = results.filter(({ duplicateOf, truth }) => duplicateOf === truth);
    return {
      completeness: share(whole.filter(({ region }) => region !== null).length, whole.length),
      accuracy: share(right.length, results.length),
    };
  },

  measure(results) {
    const regions = Map.groupBy(
      results.filter(({ region, duplicateOf }) => region !== null && duplicateOf === null),
      ({ region }) => region,
    );
    const totals = [...regions.values()].map((orders) => orders.reduce((sum, { amount }) => sum + amount, 0)).sort((a, b) => b - a);
    return {
      regions: regions.size,
      revenue: Math.round(totals.reduce((sum, total) => sum + total, 0)),
      largestRegion: Math.round(totals[0] ?? 0),
      duplicates: results.filter(({ duplicateOf }) => duplicateOf !== null).length,
      unreadable: results.filter(({ region }) => region === null).length,
      comparisons: results.reduce((sum, { comparisons }) => sum + comparisons, 0),
    };
  },

  growth: (loads) => loads, // grows with the number of orders, because each one is compared with all earlier ones
});

const share = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);

function transform({ order, all }: Item, similarity: number): Result {
  const parsed = parseOrder(order.line);
  const base = { order: order.id, truth: order.repeats, readable: order.whole };
  if (!parsed) return { ...base, region: null, amount: 0, duplicateOf: null, comparisons: 0 };
  const duplicateOf = findEarlier(all.slice(0, order.id), order.texts, similarity);
  return { ...base, region: regionOf(parsed.customer), amount: parsed.amount, duplicateOf, comparisons: order.id };
}

/** Returns the most similar earlier order, if it is similar enough. */
function findEarlier(earlier: Order[], own: string[], similarity: number): number | null {
  let best: { id: number | null; likeness: number } = { id: null, likeness: 0 };
  for (const { id, texts } of earlier) {
    const likeness = own.reduce((sum, text, index) => sum + likenessOf(text, texts[index] ?? ""), 0) / own.length;
    if (likeness >= similarity && likeness > best.likeness) best = { id, likeness };
  }
  return best.id;
}

/**
 * Returns the similarity of two texts, from 0 to 1. This is 1 minus the Levenshtein distance divided by the length of the longer text. The
 * function needs only one row of the distance table.
 */
function likenessOf(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = i - 1;
    let left = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0;
      const change = a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1;
      row[j - 1] = left;
      left = Math.min(above + 1, left + 1, diagonal + change);
      diagonal = above;
    }
    row[b.length] = left;
  }
  return 1 - (row[b.length] ?? 0) / Math.max(a.length, b.length, 1);
}
