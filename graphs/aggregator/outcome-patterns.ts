import { z } from "zod";
import { figureText as shown, succeeded } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";

const Shared = z.object({
  shared: z.string().describe("Name of the shared fact: `error type`, or a trait such as batch size"),
  value: z.string().describe("The error type, or the value of the trait"),
  labels: z.array(z.string()).describe("Failures that share it"),
  succeeded: z.array(z.string()).describe("Successes that also have the fact. The fewer there are, the more the fact explains."),
});

type Shared = z.infer<typeof Shared>;

export const OutcomePatterns = z.object({
  held: z.array(z.string()).describe("Facts that are true of all successes"),
  failures: z.array(Shared).describe("Facts that failures share, the most telling first"),
});

export type OutcomePatterns = z.infer<typeof OutcomePatterns>;

/** Returns the facts that the successful results share, and the facts that the failed results share. Calls no model. */
export function findPatterns(results: LabelledResult[]): OutcomePatterns {
  const good = succeeded(results);
  const bad = results.filter(({ status }) => status === "failed" || status === "timeout");
  return { held: good.length > 1 ? whatHeld(good) : [], failures: whatIsShared(bad, good) };
}

function whatHeld(good: LabelledResult[]): string[] {
  return [
    ...(good.every(({ failedItems }) => failedItems === 0) ? ["No item failed."] : []),
    ...(good.every(({ errors }) => errors.length === 0) ? ["No error occurred."] : []),
    ...rangeOf("Quality", good, ({ quality }) => quality),
    ...namesIn(good, ({ metrics }) => metrics).flatMap((name) => rangeOf(name, good, ({ metrics }) => metrics[name])),
    ...namesIn(good, ({ traits }) => traits).flatMap((name) => {
      const values = new Set(good.map(({ traits }) => traits[name]));
      return values.size === 1 ? [`${name} was ${[...values][0]}.`] : [];
    }),
  ];
}

const namesIn = (results: LabelledResult[], of: (result: LabelledResult) => object) => [
  ...new Set(results.flatMap((r) => Object.keys(of(r)))),
];

/**
 * Returns a line with the range of a figure among the successes, and the labels of the lowest and the highest value. Returns an empty list
 * if a success lacks the figure, or if there are fewer than two successes.
 */
function rangeOf(name: string, good: LabelledResult[], figure: (result: LabelledResult) => number | undefined): string[] {
  const known = good.flatMap((result) => {
    const value = figure(result);
    return value === undefined ? [] : [{ value, label: result.label }];
  });
  const [first, ...others] = known.toSorted((a, b) => a.value - b.value);
  const last = others.at(-1);
  if (!first || !last || known.length < good.length) return [];
  if (first.value === last.value) return [`${name} was ${shown(first.value)}.`];
  return [`${name} stayed between ${shown(first.value)} (${first.label}) and ${shown(last.value)} (${last.label}).`];
}

/**
 * Returns the facts about failed results that are worth reporting:
 * - all error types
 * - traits that several failed results share
 * - traits that no successful result has
 */
function whatIsShared(bad: LabelledResult[], good: LabelledResult[]): Shared[] {
  const succeededWith = new Map(byFact(good).map(({ key, labels }) => [key, labels]));
  return byFact(bad)
    .map(({ key, fact: [shared, value], labels }): Shared => ({ shared, value, labels, succeeded: succeededWith.get(key) ?? [] }))
    .filter(({ shared, labels, succeeded: too }) => shared === "error type" || labels.length > 1 || too.length === 0)
    .toSorted((a, b) => b.labels.length - b.succeeded.length - (a.labels.length - a.succeeded.length));
}

/**
 * Returns each different fact, with the labels of the results to which it applies. Goes through the results only once, because there may be
 * many results.
 */
function byFact(results: LabelledResult[]): { key: string; fact: [string, string]; labels: string[] }[] {
  const found = new Map<string, { key: string; fact: [string, string]; labels: string[] }>();
  for (const result of results) {
    for (const fact of facts(result)) {
      const key = JSON.stringify(fact);
      const known = found.get(key) ?? { key, fact, labels: [] };
      if (known.labels.at(-1) !== result.label) known.labels.push(result.label); // one result may contain the same error several times
      found.set(key, known);
    }
  }
  return [...found.values()];
}

/**
 * Returns the facts about a result by which results are compared: its error types and its traits. If a failed result has no error, its
 * status counts as its error type.
 */
function facts({ status, errors, traits }: LabelledResult): [string, string][] {
  const types = errors.length === 0 && status !== "success" ? [status] : errors.map(({ type }) => type);
  return [...types.map((type): [string, string] => ["error type", type]), ...Object.entries(traits)];
}
