import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import type { Budget, Limits, Models } from "../kit/context.ts";
import type { LedgerEntry } from "../kit/ledger.ts";
import type { Distribution, ScenarioDefinition } from "./definition.ts";

/** What a skill may use while it works on a batch. */
export interface Job {
  /** Aborted when the run is cancelled or the scenario's time is up. */
  signal: AbortSignal;
  config: LangGraphRunnableConfig;
  models: Models;
  limits: Limits;
  budget: Budget;
  /** Hosts, with their port, that may be called beside this service: the operator's, narrowed by the caller's context. */
  allowedHosts: string[];
  /** Directories that may be read: the operator's, narrowed by the caller's context. */
  allowedDirectories: string[];
  complexity: number;
  /** Notes a call of a model as soon as it has ended; throws when the run's budget is used up. */
  record(entry: LedgerEntry): void;
  /** Notes time spent on the items themselves, for work whose siblings share the processor; without a note all time counts. */
  worked(ms: number): void;
}

/** What the items are to be like. */
export interface Dataset {
  size: number;
  distribution: Distribution;
  /** The same seed gives the same items. */
  seed: number;
}

/** Something that can be done to many items, and measured. A new one is a file and a line in registry.ts. */
export interface Skill<Item = unknown, Result = unknown, Params = unknown> {
  name: string;
  version: string;
  description: string;
  params: z.ZodType<Params>;
  /** What comes of one item; it is kept in checkpoints, so it should be small. */
  result: z.ZodType<Result>;
  scenarios(): ScenarioDefinition[];
  generate(dataset: Dataset, params: Params, job: Pick<Job, "allowedDirectories">): Item[] | Promise<Item[]>;
  /** Works on a batch; throws when it could not be worked on at all. It is tried again then, so it must bear repeating. */
  invoke(batch: Item[], params: Params, job: Job): Promise<Result[]>;
  /** How good the results are, each score from 0 to 1. */
  score(results: Result[]): Record<string, number>;
  /** What else was measured. */
  measure(results: Result[]): Record<string, number>;
}
