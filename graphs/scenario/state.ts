import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";
import { appending } from "../agent/state.ts";
import { ScenarioDefinition } from "../skills/definition.ts";
import { Planned } from "./plan.ts";
import { ScenarioProgress } from "./progress.ts";
import { Sync } from "./sync.ts";

/** The state key `progress`. Each scenario updates only its own entry. */
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

/** A segment of the work. At its end, the scenarios wait for each other. */
export const Segment = z.object({
  number: z.number().int(),
  percent: z.number().describe("Progress in percent at which the segment ends"),
  oneBatch: z.boolean().describe("Whether the segment ends after one batch"),
  limitMs: z.number().nullable().describe("Milliseconds after which the segment ends in any case. Null: no limit."),
});

export type Segment = z.infer<typeof Segment>;

/** The state keys of a run: its plan, its scenarios, and the segments at whose ends the scenarios wait for each other. */
export const sideBySide = {
  planned: Planned.nullable().default(null).describe("Planned work of the run"),
  definitions: z.array(ScenarioDefinition).default([]).describe("Scenarios of the run, with all fields filled in"),
  progress: Progress,
  segment: Segment.nullable().default(null).describe("Current segment"),
  syncs: appending(Sync, "Meetings of the scenarios: the progress of each one and how long it waited"),
  halved: z.boolean().default(false).describe("Set if all scenarios failed and were started again with half the load"),
  startedAt: z.number().default(0).describe("Start of the run"),
};
