import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import type { Budget, Limits, Models } from "../kit/context.ts";
import type { LedgerEntry } from "../kit/ledger.ts";
import type { Distribution, ScenarioDefinition } from "./definition.ts";

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
}

/** A measurable operation on many items. A new skill needs its own file and a line in registry.ts. */
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
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[]>;
  /** The quality of the results, each score from 0 to 1. */
  score(results: Result[]): Record<string, number>;
  /** Other measurements. */
  measure(results: Result[]): Record<string, number>;
}
