import { z } from "zod";
import { succeeded } from "./figures.ts";
import type { LabelledResult } from "./labelled-result.ts";

const Shared = z.object({
  shared: z.string().describe("What is shared: the error type, or a trait such as batch size"),
  value: z.string().describe("Which error type, or what the trait is"),
  labels: z.array(z.string()).describe("Failures that share it"),
  succeeded: z.array(z.string()).describe("Successes that have it too: the fewer, the more it tells"),
});

type Shared = z.infer<typeof Shared>;

export const OutcomePatterns = z.object({
  held: z.array(z.string()).describe("What held in all that succeeded"),
  failures: z.array(Shared).describe("What failures share, the most telling first"),
});

export type OutcomePatterns = z.infer<typeof OutcomePatterns>;

/** What successes have in common, and what failures share; read off the data, nothing is supposed. */
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

/** A figure that all have: between what and what it stayed, and where the ends are. */
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

const shown = (value: number) => String(Number(value.toPrecision(4)));

/** One failure alone shares nothing; of it only what no success has is worth a word. Error types are always named. */
function whatIsShared(bad: LabelledResult[], good: LabelledResult[]): Shared[] {
  const succeededWith = new Map(byFact(good).map(({ key, labels }) => [key, labels]));
  return byFact(bad)
    .map(({ key, fact: [shared, value], labels }): Shared => ({ shared, value, labels, succeeded: succeededWith.get(key) ?? [] }))
    .filter(({ shared, labels, succeeded: too }) => shared === "error type" || labels.length > 1 || too.length === 0)
    .toSorted((a, b) => b.labels.length - b.succeeded.length - (a.labels.length - a.succeeded.length));
}

/** Every fact with the results that have it, in one pass: there can be many of both. */
function byFact(results: LabelledResult[]): { key: string; fact: [string, string]; labels: string[] }[] {
  const found = new Map<string, { key: string; fact: [string, string]; labels: string[] }>();
  for (const result of results) {
    for (const fact of facts(result)) {
      const key = JSON.stringify(fact);
      const known = found.get(key) ?? { key, fact, labels: [] };
      if (known.labels.at(-1) !== result.label) known.labels.push(result.label); // it may have one error many times
      found.set(key, known);
    }
  }
  return [...found.values()];
}

/** What can be shared. A failure that names no error has its status for one. */
function facts({ status, errors, traits }: LabelledResult): [string, string][] {
  const types = errors.length === 0 && status !== "success" ? [status] : errors.map(({ type }) => type);
  return [...types.map((type): [string, string] => ["error type", type]), ...Object.entries(traits)];
}
