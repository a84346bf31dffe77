import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { Budget, Limits, Models } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { type Distribution, defaultProfile, type ScenarioDefinition, type Target } from "./definition.ts";

/** The limits and functions that a skill gets for its work on a batch. */
export interface Job {
  /** Aborted when the run is cancelled, or when the scenario has used up its time. */
  signal: AbortSignal;
  config: LangGraphRunnableConfig;
  models: Models;
  limits: Limits;
  budget: Budget;
  /**
   * The hosts that the skill may call in addition to this service, each with its port. They come from the operator's list. A caller's
   * context can only narrow the list.
   */
  allowedHosts: string[];
  /** The directories that the skill may read. They come from the operator's list. A caller's context can only narrow the list. */
  allowedDirectories: string[];
  complexity: number;
  /**
   * Waits until another model call is allowed, and then calls `work`, which makes the call. All scenarios of the run together make at most
   * `limits.parallel` calls at the same time.
   */
  turn<Done>(work: () => Promise<Done>): Promise<Done>;
  /** Records the ledger entry of a model call that has just ended. Throws if the run's budget is used up. */
  record(entry: LedgerEntry): void;
  /**
   * Records the milliseconds that the skill spent on the items themselves. Call this if the skill shares the processor with other
   * scenarios. Without it, the whole time of the batch counts, including waits for other scenarios.
   */
  worked(ms: number): void;
}

/** The requested properties of the items to generate. */
export interface Dataset {
  size: number;
  distribution: Distribution;
  /** The seed of the random numbers. The same seed always generates the same items. */
  seed: number;
  /** The amount of work in one item. An item of the simplest scenario has the amount 1. */
  complexity: number;
}

/** The result of a batch in which some items failed. */
export interface Batch<Result> {
  results: Result[];
  /** The failed items, by their index in the batch. If there are more than the error tolerance allows, the scenario fails. */
  failed: { index: number; error: Error | string }[];
}

/** The facts for computing scores and measurements, in addition to the results. */
export interface Worked<Params> {
  params: Params;
  /** The number of failed items. */
  failed: number;
}

/** An operation on many items whose quality and speed can be measured. Call `defineSkill` to make one. */
export interface Skill<Item = unknown, Result = unknown, Params = unknown> {
  name: string;
  version: string;
  description: string;
  params: z.ZodType<Params>;
  /** The schema of one item's result. Results should be small, because every checkpoint stores them. */
  result: z.ZodType<Result>;
  scenarios(): ScenarioDefinition[];
  generate(dataset: Dataset, params: Params, job: Pick<Job, "allowedDirectories">): Item[] | Promise<Item[]>;
  /**
   * Works on a batch. If the function throws, the whole batch counts as failed and is tried again. A second try must therefore do no harm.
   */
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[] | Batch<Result>>;
  /**
   * Returns scores from 0 to 1. The quality of the results is the mean of the scores that a scenario's `qualityMetrics` names, or of all
   * scores.
   */
  score(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Returns measurements that are not scores, such as a throughput. */
  measure(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Returns targets for measurements and scores. The weighted share of the targets that are met is itself a score, called `functional`. */
  targets(params: Params): Target[];
  /** Returns the amount of work in one item at the given complexity. */
  work(complexity: number): number;
  /**
   * Returns the expected time per unit of work, as a multiple of the time in the smallest scenario. `loads` is the number of items, as a
   * multiple of the number in that scenario.
   */
  growth(loads: number): number;
  /** Returns the expected tokens of one item, for the cost estimate of a run. */
  tokens(params: Params, complexity: number): { input: number; output: number };
}

type Optional = "version" | "description" | "params" | "scenarios" | "measure" | "targets" | "work" | "growth" | "tokens";

/** The options of `defineSkill`: the parts of a skill, many of which have defaults. */
export type SkillOptions<Item, Result, Params> = Omit<Skill<Item, Result, Params>, Optional> & Partial<Skill<Item, Result, Params>>;

/** Returns a skill that the scenario orchestrator can run. */
export function defineSkill<Item, Result, Params = Record<string, never>>(
  options: SkillOptions<Item, Result, Params>,
): Skill<Item, Result, Params> {
  return {
    version: "1.0.0",
    description: options.name,
    params: z.strictObject({}) as unknown as z.ZodType<Params>,
    scenarios: () => defaultProfile,
    measure: () => ({}),
    targets: () => [],
    work: (complexity) => complexity,
    growth: () => 1,
    tokens: () => ({ input: 0, output: 0 }),
    ...options,
  };
}
