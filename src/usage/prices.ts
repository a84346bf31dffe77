import { z } from "zod";

const dollars = z.number().min(0).max(1_000_000);

/** The price of a model, in dollars per million tokens. */
export const Price = z.strictObject({
  input: dollars.describe("Dollars per million input tokens"),
  cachedInput: dollars.optional().describe("Dollars per million input tokens that the endpoint had cached. Default: the price of `input`."),
  output: dollars.describe("Dollars per million output tokens"),
});
export type Price = z.infer<typeof Price>;

/** The prices of models by name. */
export type Prices = Record<string, Price>;

/**
 * The prices of the default models of the orchestration patterns. `graphs/agent/ledger.ts` has the same table, and a test compares both.
 */
export const usualPrices: Prices = {
  "gpt-5": { input: 1.25, cachedInput: 0.125, output: 10 },
  "gpt-5-mini": { input: 0.25, cachedInput: 0.025, output: 2 },
  "gpt-5-nano": { input: 0.05, cachedInput: 0.005, output: 0.4 },
};

/** Returns the price of a model, or undefined if it is unknown. A dated version, such as `gpt-5-2025-08-07`, has the price of its model. */
export function priceOf(model: string, prices: Prices): Price | undefined {
  const name = model.replace(/^openai:/, "");
  const undated = name.replace(/-\d{4}-\d{2}-\d{2}$/, "");
  for (const known of [model, name, undated]) {
    const price = own(prices, known) ?? own(usualPrices, known);
    if (price) return price;
  }
  return undefined;
}

/** Returns the price of a model from the table. Ignores inherited properties, because a model may have a name such as "constructor". */
const own = (prices: Prices, name: string): Price | undefined => (Object.hasOwn(prices, name) ? prices[name] : undefined);

export interface CallTokens {
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

/** Returns the cost of a call in dollars. */
export function costOf({ inputTokens, cachedTokens, outputTokens }: CallTokens, { input, cachedInput = input, output }: Price): number {
  return ((inputTokens - cachedTokens) * input + cachedTokens * cachedInput + outputTokens * output) / 1_000_000;
}
