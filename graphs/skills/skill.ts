import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import type { Budget, Limits, Models } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { type Distribution, defaultProfile, type ScenarioDefinition, type Target } from "./definition.ts";

/** The means that a skill may use while it works on a batch. */
export interface Job {
  /** Aborted when the run is cancelled or the scenario's time is up. */
  signal: AbortSignal;
  config: LangGraphRunnableConfig;
  models: Models;
  limits: Limits;
  budget: Budget;
  /** Hosts, with their port, that may be called in addition to this service: the operator's, narrowed by the caller's context. */
  allowedHosts: string[];
  /** Directories that may be read: the operator's, narrowed by the caller's context. */
  allowedDirectories: string[];
  complexity: number;
  /** Waits for one of the places that all scenarios of the run share (`limits.parallel`), then works. For calls of models. */
  turn<Done>(work: () => Promise<Done>): Promise<Done>;
  /** Records a model call as soon as it has ended. Throws when the run's budget is used up. */
  record(entry: LedgerEntry): void;
  /** Records time spent on the items themselves, for work whose siblings share the processor. Without it, all time counts. */
  worked(ms: number): void;
}

/** The properties of the generated items. */
export interface Dataset {
  size: number;
  distribution: Distribution;
  /** The same seed generates the same items. */
  seed: number;
  /** Work in one item, relative to an item of the simplest scenario. */
  complexity: number;
}

/** The outcome of a batch in which some items failed. */
export interface Batch<Result> {
  results: Result[];
  /** Items that could not be worked on, by their place in the batch. They count towards the scenario's error tolerance. */
  failed: { index: number; error: Error | string }[];
}

/** The facts from which the scores of a scenario are computed, beside the results. */
export interface Worked<Params> {
  params: Params;
  /** Items that could not be worked on. */
  failed: number;
}

/** A measurable operation on many items. `defineSkill` makes one. */
export interface Skill<Item = unknown, Result = unknown, Params = unknown> {
  name: string;
  version: string;
  description: string;
  params: z.ZodType<Params>;
  /** The result of one item. Checkpoints store it, so it should be small. */
  result: z.ZodType<Result>;
  scenarios(): ScenarioDefinition[];
  generate(dataset: Dataset, params: Params, job: Pick<Job, "allowedDirectories">): Item[] | Promise<Item[]>;
  /** Works on a batch. Throws when it could not work on it at all. The batch is then retried, so this must be repeatable. */
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[] | Batch<Result>>;
  /** The quality of the results, each score from 0 to 1. */
  score(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** Other measurements. */
  measure(results: Result[], worked: Worked<Params>): Record<string, number>;
  /** The targets of measurements and scores. The weighted share of the targets that are met is the score `functional`. */
  targets(params: Params): Target[];
  /** Work in one item at a complexity. */
  work(complexity: number): number;
  /** Expected time for one unit of work with so many times the items of the smallest scenario. */
  growth(loads: number): number;
  /** Expected tokens of one item, for the estimate of the cost. */
  tokens(params: Params, complexity: number): { input: number; output: number };
}

type Optional = "version" | "description" | "params" | "scenarios" | "measure" | "targets" | "work" | "growth" | "tokens";

/** The options of `defineSkill`: what a skill needs, and what it may say. */
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
