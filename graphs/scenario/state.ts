import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";
import { appending } from "../agent/state.ts";
import { ScenarioDefinition } from "../skills/definition.ts";
import { Planned } from "./plan.ts";
import { ScenarioProgress } from "./progress.ts";
import { Sync } from "./sync.ts";

/** The state key `progress`. Every scenario writes its own entry. */
export const Progress = new ReducedValue(
  z
    .record(z.string(), ScenarioProgress)
    .default(() => ({}))
    .describe("Progress of each scenario"),
  {
    inputSchema: z.record(z.string(), ScenarioProgress),
    reducer: (all, more) => ({ ...all, ...more }),
  },
);

/** A segment of the work, after which the scenarios meet. */
export const Segment = z.object({
  number: z.number().int(),
  percent: z.number().describe("Percent at which it ends"),
  oneBatch: z.boolean().describe("Whether it ends after one batch"),
  limitMs: z.number().nullable().describe("Time after which it ends in any case"),
});

export type Segment = z.infer<typeof Segment>;

/** The state of scenarios that work side by side. */
export const sideBySide = {
  planned: Planned.nullable().default(null).describe("What the run does"),
  definitions: z.array(ScenarioDefinition).default([]).describe("Scenarios as they run"),
  progress: Progress,
  segment: Segment.nullable().default(null).describe("Current segment"),
  syncs: appending(Sync, "Where the scenarios met, who was where, and who waited how long"),
  halved: z.boolean().default(false).describe("Set after all scenarios failed and started again with half the load"),
  startedAt: z.number().default(0).describe("Start of the run"),
};
