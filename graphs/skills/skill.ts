import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { Budget, Limits, Models } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { type Distribution, defaultProfile, type ScenarioDefinition, type Target } from "./definition.ts";

/** The limits and functions that a skill is given while it works on a batch. */
export interface Job {
  /** Aborted when the run is cancelled, or when the scenario has used up its time. */
  signal: AbortSignal;
  config: LangGraphRunnableConfig;
  models: Models;
  limits: Limits;
  budget: Budget;
  /**
   * The hosts that the skill may call in addition to this service, each with its port. The operator lists them, and a caller's context
   * can only narrow the list.
   */
  allowedHosts: string[];
  /** The directories that the skill may read. The operator lists them, and a caller's context can only narrow the list. */
  allowedDirectories: string[];
  complexity: number;
  /**
   * Calls `work`, which makes a model call, as soon as one more is allowed. All scenarios of the run together make at most
   * `limits.parallel` calls at once.
   */
  turn<Done>(work: () => Promise<Done>): Promise<Done>;
  /** Records the ledger entry of a model call that has just ended. If the run's budget is used up, throws. */
  record(entry: LedgerEntry): void;
  /**
   * Records the milliseconds that the skill spent on the items themselves. A skill that shares the processor with other scenarios should
   * call it. If it does not, all the time of the batch counts, including the waits for other scenarios.
   */
  worked(ms: number): void;
}

/** The wanted properties of the items to generate. */
export interface Dataset {
  size: number;
  distribution: Distribution;
  /** The seed of the random numbers. The same seed generates the same items. */
  seed: number;
  /** The amount of work in one item. An item of the simplest scenario has 1. */
  complexity: number;
}

/** The result of a batch in which some items failed. */
export interface Batch<Result> {
  results: Result[];
  /** The failed items, by their index in the batch. The scenario fails if there are more than its error tolerance allows. */
  failed: { index: number; error: Error | string }[];
}

/** The facts that scores and measurements are computed from, in addition to the results. */
export interface Worked<Params> {
  params: Params;
  /** Number of failed items. */
  failed: number;
}

/** An operation on many items that can be measured. Call `defineSkill` to make one. */
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
   * Works on a batch. It may throw only if it could not work on the batch at all. The batch is then tried again, so a second call must
   * do no harm.
   */
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[] | Batch<Result>>;
  /** Returns scores from 0 to 1, which together are the quality of the results. */
  score(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Returns measurements that are no scores, such as a throughput. */
  measure(results: Result[], worked: Worked<Params>): Record<string, number>;
  /**
   * Returns targets for measurements and scores. The share of them that is met is itself a score, called `functional`. Targets may have
   * different weights.
   */
  targets(params: Params): Target[];
  /** Returns how much work one item has at a complexity. */
  work(complexity: number): number;
  /**
   * Returns how much longer a unit of work is expected to take than in the smallest scenario. `loads` says how many times as many items
   * there are.
   */
  growth(loads: number): number;
  /** Returns how many tokens one item is expected to take. The estimate of a run's cost uses it. */
  tokens(params: Params, complexity: number): { input: number; output: number };
}

type Optional = "version" | "description" | "params" | "scenarios" | "measure" | "targets" | "work" | "growth" | "tokens";

/** The options of `defineSkill`. They are the parts of a skill, many of which have defaults. */
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
