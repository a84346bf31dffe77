import { z } from "zod";

export const Difficulty = z.enum(["easy", "intermediate", "advanced"]);
export const Distribution = z.enum(["uniform", "skewed", "clustered"]);
export type Distribution = z.infer<typeof Distribution>;

/** One scenario: the load of a skill, and the expected result. */
export const ScenarioDefinition = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .refine((name) => !(name in Object.prototype), "a name that every object has")
    .describe("Name of the scenario in the report"),
  difficulty: Difficulty.describe("The skill's own scenario that it resembles"),
  complexityMultiplier: z.number().positive().max(1_000).describe("Difficulty relative to the simplest scenario"),
  inputSize: z.number().int().min(1).max(10_000).describe("Number of items"),
  batchSize: z.number().int().min(1).max(10_000).describe("Items per batch. A crash costs at most one batch."),
  dataset: Distribution.describe("How the generated items are distributed"),
  timeBudgetSeconds: z.number().positive().max(86_400).describe("Working time after which the scenario fails"),
  memoryLimitMb: z.number().int().positive().describe("Expected memory limit, reported beside the actual use"),
  errorTolerance: z.number().min(0).max(1).describe("Share of items that may fail"),
  skillParams: z.record(z.string(), z.unknown()).describe("Parameters of the skill"),
  expectedQuality: z.enum(["basic", "good", "excellent"]).describe("Quality below which it is reported as a gap: 0.6, 0.8 or 0.9"),
  qualityMetrics: z.array(z.string()).describe("Scores that count for the quality. Without any: all scores of the skill."),
});

export type ScenarioDefinition = z.infer<typeof ScenarioDefinition>;

/** A scenario as a caller gives it. Missing fields come from the skill's own profile of that difficulty. */
export const ScenarioRequest = ScenarioDefinition.partial().extend({
  name: ScenarioDefinition.shape.name,
  difficulty: Difficulty.default("easy").describe("The skill's own scenario that completes it"),
});

export type ScenarioRequest = z.infer<typeof ScenarioRequest>;

/** The expected qualities as numbers. */
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

/** How much the input may grow with the difficulty, by the growth of the skill's time. */
const growth = {
  linear: [1, 3, 8],
  sublinear: [1, 5, 25],
  quadratic: [1, 2, 3],
  exponential: [1, 1.5, 2],
} as const;

/** Returns the default profile with sizes that suit a skill. */
export function profile(scaling: keyof typeof growth, smallest: number, batchSizes: [number, number, number]): ScenarioDefinition[] {
  return defaultProfile.map((definition, index) => ({
    ...definition,
    inputSize: Math.round(smallest * (growth[scaling][index] ?? 1)),
    batchSize: batchSizes[index] ?? definition.batchSize,
  }));
}
