import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";
import { ScenarioProgress } from "./progress.ts";

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
