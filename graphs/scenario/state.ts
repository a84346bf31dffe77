import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";
import { ScenarioProgress } from "./progress.ts";

/** The state key `progress`: every scenario writes its own entry. */
export const Progress = new ReducedValue(
  z
    .record(z.string(), ScenarioProgress)
    .default(() => ({}))
    .describe("How far each scenario has come"),
  {
    inputSchema: z.record(z.string(), ScenarioProgress),
    reducer: (all, more) => ({ ...all, ...more }),
  },
);

/** A stretch of the way, after which the scenarios meet. */
export const Segment = z.object({
  number: z.number().int(),
  percent: z.number().describe("How far it goes"),
  oneBatch: z.boolean().describe("Whether it is over after one batch"),
  limitMs: z.number().nullable().describe("After which time it is over in any case"),
});

export type Segment = z.infer<typeof Segment>;
