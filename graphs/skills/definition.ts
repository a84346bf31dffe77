import { z } from "zod";
import { closed } from "../agent/closed.ts";

export const Difficulty = z.enum(["easy", "intermediate", "advanced"]);
export const Distribution = z.enum(["uniform", "skewed", "clustered"]);
export type Distribution = z.infer<typeof Distribution>;

/** The schema of a target value for a measurement or a score. */
export const Target = closed({
  metric: z.string().describe("Name of the measurement or score"),
  above: z.number().optional().describe("The value must be above this number"),
  atLeast: z.number().optional().describe("The value must be at least this number"),
  below: z.number().optional().describe("The value must be below this number"),
  weight: z.number().positive().default(1).describe("Weight of the target among all targets"),
});

export type Target = z.input<typeof Target>;

/** A scenario: the load on a skill, and the expected result. */
export const ScenarioDefinition = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .refine((name) => !(name in Object.prototype), "a name that every object has")
    .describe("Name of the scenario in the report"),
  difficulty: Difficulty.describe("Difficulty of the skill's own scenario that this one resembles"),
  complexityMultiplier: z
    .number()
    .positive()
    .max(1_000)
    .describe("Work in one item relative to the simplest scenario. It scales the generated items."),
  inputSize: z.number().int().min(1).max(10_000).describe("Number of items"),
  batchSize: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .describe("Items per batch. A crash costs at most one batch. Near the memory limit it is halved."),
  dataset: Distribution.describe("How the generated items are distributed"),
  timeBudgetSeconds: z.number().positive().max(86_400).describe("Working time after which the scenario fails"),
  memoryLimitMb: z
    .number()
    .int()
    .positive()
    .describe("Memory that the work may add to the process, in MB. From 80 % on, batches become smaller."),
  errorTolerance: z.number().min(0).max(1).describe("Share of items that may fail"),
  skillParams: z.record(z.string(), z.unknown()).describe("Parameters of the skill"),
  expectedQuality: z.enum(["basic", "good", "excellent"]).describe("Quality below which the result is reported as a gap: 0.6, 0.8 or 0.9"),
  targets: z.array(Target).optional().describe("Targets for measurements and scores, instead of the skill's own targets"),
  qualityMetrics: z.array(z.string()).describe("Scores that count for the quality. If empty, all scores of the skill count."),
});

export type ScenarioDefinition = z.infer<typeof ScenarioDefinition>;

/** A scenario as a caller sends it. Missing fields come from the skill's own scenario of the same difficulty. */
export const ScenarioRequest = closed({
  ...ScenarioDefinition.partial().shape,
  name: ScenarioDefinition.shape.name,
  difficulty: Difficulty.optional().describe("Difficulty of the skill's own scenario that fills in missing fields. Default: easy."),
});

export type ScenarioRequest = z.infer<typeof ScenarioRequest>;

/** The expected quality as a number from 0 to 1, for each value of a scenario's field `expectedQuality`. */
export const qualityOf = { basic: 0.6, good: 0.8, excellent: 0.9 } as const;

const common = { skillParams: {}, qualityMetrics: [] };

export const defaultProfile: ScenarioDefinition[] = [
  {
    ...common,
    name: "simple",
    difficulty: "easy",
    complexityMultiplier: 1,
    inputSize: 100,
    batchSize: 10,
    dataset: "uniform",
    timeBudgetSeconds: 30,
    memoryLimitMb: 256,
    errorTolerance: 0,
    expectedQuality: "basic",
  },
  {
    ...common,
    name: "medium",
    difficulty: "intermediate",
    complexityMultiplier: 3,
    inputSize: 300,
    batchSize: 50,
    dataset: "uniform",
    timeBudgetSeconds: 90,
    memoryLimitMb: 512,
    errorTolerance: 0.05,
    expectedQuality: "good",
  },
  {
    ...common,
    name: "complex",
    difficulty: "advanced",
    complexityMultiplier: 8,
    inputSize: 800,
    batchSize: 100,
    dataset: "skewed",
    timeBudgetSeconds: 300,
    memoryLimitMb: 1_024,
    errorTolerance: 0.1,
    expectedQuality: "excellent",
  },
];

/**
 * The factors by which `profile` multiplies the smallest input size, one for each of the three default scenarios. They depend on how the
 * time of a skill grows with its input.
 */
const growth = {
  linear: [1, 3, 8],
  sublinear: [1, 5, 25],
  quadratic: [1, 2, 3],
  exponential: [1, 1.5, 2],
} as const;

/** The changes to the default scenarios. Each field has an array with one value for each of these scenarios. */
type Changes = { [Key in keyof ScenarioDefinition]?: readonly ScenarioDefinition[Key][] };

/** Returns the three default scenarios, with input sizes that suit the skill. `changes` replaces further fields of the scenarios. */
export function profile(
  scaling: keyof typeof growth,
  smallest: number,
  batchSizes: [number, number, number],
  changes: Changes = {},
): ScenarioDefinition[] {
  const changed = (index: number) => Object.fromEntries(Object.entries(changes).map(([key, values]) => [key, values[index]]));
  return defaultProfile.map((definition, index) => ({
    ...definition,
    inputSize: Math.round(smallest * (growth[scaling][index] ?? 1)),
    batchSize: batchSizes[index] ?? definition.batchSize,
    ...changed(index),
  }));
}
