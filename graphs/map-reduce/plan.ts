import { closed, Doing, type Step, type StepFunction, valueAt } from "ensemble/patterns";
import { z } from "zod";

const usualParts = 8;
const mostPartitions = 1_000;

/** A reduction that is computed without a model. Its functions are associative, so the shape of the tree does not change the result. */
export const Compute = closed({
  compute: z.enum(["concat", "sum", "count", "groupBy", "topK"]).describe("How the outputs are joined"),
  by: z.string().optional().describe("Path in each entry: the number to sum or to rank, or the key to group by"),
  k: z.number().int().min(1).max(10_000).default(10).describe("How many entries `topK` keeps"),
});

/** The settings for a run's partitions, and for the tree that joins their outputs. */
export interface Shape {
  map: Step["do"];
  reduce: Step["do"] | z.infer<typeof Compute>;
  partitions: number | null;
  partitionSize: number | null;
  fanIn: number;
  timeoutSeconds: number;
  retries: number;
}

export interface Partition {
  index: number;
  /** The index of the partition's first item. `to` is the index after its last item. */
  from: number;
  to: number;
}

/** Divides the items into contiguous parts whose sizes differ by at most one. */
export function partitionsOf(items: number, { partitions, partitionSize }: Pick<Shape, "partitions" | "partitionSize">): Partition[] {
  const wanted = partitions ?? (partitionSize ? Math.ceil(items / partitionSize) : Math.min(usualParts, items));
  const count = Math.min(wanted, items, mostPartitions);
  return Array.from({ length: count }, (_, index) => ({
    index,
    from: Math.floor((index * items) / count),
    to: Math.floor(((index + 1) * items) / count),
  }));
}

export const partitionId = (index: number) => `partition ${index}`;

/** Returns a step for each partition, and the steps of the tree that joins their outputs. The last step has the result. */
export function planSteps(items: unknown[], parts: Partition[], shape: Shape): { steps: Step[]; levels: number } {
  const { timeoutSeconds, retries, fanIn, map, reduce } = shape;
  const common = { timeoutSeconds, retries };
  const steps: Step[] = parts.map(({ index, from, to }) => ({
    ...{ ...common, id: partitionId(index), do: map, needs: [], onFailure: "continue" as const },
    input: { partition: index, items: items.slice(from, to) },
  }));
  const doing: Step["do"] = "compute" in reduce ? { code: "compute", args: reduce } : reduce;
  let below = steps.map(({ id }) => id);
  let levels = 0;
  while (below.length > 1 || (levels === 0 && below.length === 1)) {
    levels++;
    const groups = Array.from({ length: Math.ceil(below.length / fanIn) }, (_, group) => below.slice(group * fanIn, (group + 1) * fanIn));
    const level = groups.map((needs, group) => ({
      ...{ ...common, id: `reduce ${levels}-${group}`, do: doing, needs, collects: true, onFailure: "stop" as const },
      ...(levels === 1 && "compute" in reduce && { do: { code: "computeFirst", args: reduce } }),
    }));
    steps.push(...level);
    below = level.map(({ id }) => id);
  }
  const last = steps.at(-1);
  if (last) last.speaks = true;
  return { steps, levels };
}

type Settings = z.infer<typeof Compute>;
type Groups = Record<string, unknown[]>;

/** Joins outputs of the level below in the tree. These outputs already have the form of the final result. */
export const compute: StepFunction = (input, { args }) => join(input as unknown[], args as Settings);

/** Joins the outputs of partitions, on the lowest level of the tree. If an output is a list, each element counts as one entry. */
export const computeFirst: StepFunction = (input, { args }) => {
  const settings = args as Settings;
  const entries = (input as unknown[]).flat();
  return join([entries.length === 0 ? emptyOf(settings) : start(entries, settings)], settings);
};

function start(entries: unknown[], { compute: kind, by, k }: Settings): unknown {
  if (kind === "count") return entries.length;
  if (kind === "sum") return entries.reduce<number>((sum, entry) => sum + numberAt(entry, by), 0);
  if (kind === "groupBy") return Object.groupBy(entries, (entry) => String(by === undefined ? entry : valueAt(entry, by)));
  if (kind === "topK") return top(entries, by, k);
  return entries;
}

const emptyOf = ({ compute: kind }: Settings) => (kind === "count" || kind === "sum" ? 0 : kind === "groupBy" ? {} : []);

function join(parts: unknown[], { compute: kind, by, k }: Settings): unknown {
  if (kind === "count" || kind === "sum") return (parts as number[]).reduce((sum, part) => sum + part, 0);
  if (kind === "topK") return top(parts.flat(), by, k);
  if (kind === "concat") return parts.flat();
  const groups: Groups = {};
  for (const part of parts as Groups[])
    for (const [key, entries] of Object.entries(part)) groups[key] = [...(groups[key] ?? []), ...entries];
  return groups;
}

/** Returns the entries with the highest numbers. Entries with the same number keep their order. */
const top = (entries: unknown[], by: string | undefined, k: number) =>
  entries.toSorted((one, other) => numberAt(other, by) - numberAt(one, by)).slice(0, k);

function numberAt(entry: unknown, by: string | undefined): number {
  const value = by === undefined ? entry : valueAt(entry, by);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new Error(`${by === undefined ? "An entry" : `"${by}"`} is not a number: ${JSON.stringify(value)?.slice(0, 100)}`);
}

/** The schema of the work that joins outputs: a fixed computation, or work such as a task for an agent. */
export const Reduce = z.union([Compute, Doing]);
