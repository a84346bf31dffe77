import { MessagesValue, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { ledgerState } from "../agent/metrics/measured.ts";
import { Aggregation } from "../aggregator/aggregation.ts";
import { Estimate } from "./estimate.ts";
import { ScenarioRequests } from "./plan.ts";
import { sideBySide } from "./state.ts";
import { Mode } from "./sync.ts";

/**
 * The input of a run. Every field has a default. Without a default, a field that is not sent would keep its value from an earlier run on
 * the thread.
 */
export const fields = {
  skill: z.string().nullable().default(null).describe("Skill to run. Default: the one that the last message names."),
  mode: Mode.default("free").describe("Where the scenarios wait for each other: nowhere, at milestones, or after every batch"),
  scenarios: ScenarioRequests.default([]).describe("Scenarios to run instead of the skill's own. With `rerun`: changes to them."),
  seed: z.number().int().min(0).default(1).describe("The same seed generates the same items"),
  spread: z
    .boolean()
    .default(false)
    .describe("Whether each scenario is a run of its own, which any worker may take. Only in the mode `free`."),
  part: z
    .boolean()
    .default(false)
    .describe("Whether the run ends without a comparison. A spread run sets it for the run of each scenario."),
  rerun: z
    .array(z.string())
    .max(10)
    .default([])
    .describe("Scenarios of the thread's last run to run again. The results of all others are kept."),
};

export const State = new StateSchema({
  ...fields,
  ...sideBySide,
  messages: MessagesValue,
  estimate: Estimate.nullable().default(null).describe("Expected cost, computed before the start"),
  report: Aggregation.nullable().default(null).describe("Comparison of the scenarios, and the recommendation for production"),
  ...ledgerState,
});

const { definitions, estimate, progress, syncs, messages, report: aggregated, ledger, metrics } = State.fields;
export const Output = new StateSchema({ definitions, estimate, progress, syncs, messages, report: aggregated, ledger, metrics });

export type State = typeof State.State;

/**
 * Returns a problem if the scenarios have runs of their own (`spread`) but must wait for each other. This is impossible, because LangGraph
 * synchronizes only the nodes of one run.
 */
export function judgeInput(given: object) {
  const { spread, mode = "free" } = given as { spread?: unknown; mode?: unknown };
  if (spread !== true || mode === "free") return [];
  return [{ path: ["spread"], message: `scenarios that run apart cannot meet, so the mode "${mode}" is not possible; use "free"` }];
}
