import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { Budget, Limits, Models } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { type Distribution, defaultProfile, type ScenarioDefinition, type Target } from "./definition.ts";

/** The limits and functions that a skill gets while it works on a batch. */
export interface Job {
  /** Aborted when the run is cancelled or the scenario's time budget is used up. */
  signal: AbortSignal;
  config: LangGraphRunnableConfig;
  models: Models;
  limits: Limits;
  budget: Budget;
  /**
   * Hosts, with their port, that the skill may call in addition to this service. The operator lists them, and the caller's context can
   * narrow the list.
   */
  allowedHosts: string[];
  /** Directories that the skill may read. The operator lists them, and the caller's context can narrow the list. */
  allowedDirectories: string[];
  complexity: number;
  /** Calls `work` when a model call is allowed. At most `limits.parallel` calls run at once in all scenarios of the run together. */
  turn<Done>(work: () => Promise<Done>): Promise<Done>;
  /** Records the ledger entry of a model call that has just ended. Throws if the run's budget is used up. */
  record(entry: LedgerEntry): void;
  /**
   * Records milliseconds spent on the items themselves, for work that shares the processor with other scenarios. Without any record, all
   * time counts.
   */
  worked(ms: number): void;
}

/** The properties of the items to generate. */
export interface Dataset {
  size: number;
  distribution: Distribution;
  /** The same seed generates the same items. */
  seed: number;
  /** The work in one item, relative to an item of the simplest scenario. */
  complexity: number;
}

/** The result of a batch in which some items failed. */
export interface Batch<Result> {
  results: Result[];
  /** The failed items, by their index in the batch. They count towards the scenario's error tolerance. */
  failed: { index: number; error: Error | string }[];
}

/** The facts that scores are computed from, in addition to the results. */
export interface Worked<Params> {
  params: Params;
  /** Number of failed items. */
  failed: number;
}

/** A measurable operation on many items. `defineSkill` makes one. */
export interface Skill<Item = unknown, Result = unknown, Params = unknown> {
  name: string;
  version: string;
  description: string;
  params: z.ZodType<Params>;
  /** The schema of the result of one item. Checkpoints store the results, so they should be small. */
  result: z.ZodType<Result>;
  scenarios(): ScenarioDefinition[];
  generate(dataset: Dataset, params: Params, job: Pick<Job, "allowedDirectories">): Item[] | Promise<Item[]>;
  /** Works on a batch. Throws if it could not work on the batch at all. The batch is then retried, so a repeated call must be harmless. */
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[] | Batch<Result>>;
  /** Returns the quality of the results, as scores from 0 to 1. */
  score(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Returns measurements that are not scores. */
  measure(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Returns targets for measurements and scores. The weighted share of the targets that are met is the score `functional`. */
  targets(params: Params): Target[];
  /** Returns the work in one item at a complexity. */
  work(complexity: number): number;
  /**
   * Returns the expected time for one unit of work, relative to the smallest scenario. `loads` says how many times as many items there are.
   */
  growth(loads: number): number;
  /** Returns the expected tokens of one item, for the estimate of the cost. */
  tokens(params: Params, complexity: number): { input: number; output: number };
}

type Optional = "version" | "description" | "params" | "scenarios" | "measure" | "targets" | "work" | "growth" | "tokens";

/** The options of `defineSkill`: the required and the optional parts of a skill. */
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
