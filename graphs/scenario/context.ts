import { z } from "zod";
import { AllowedDirectories, AllowedHosts, sharedContext } from "../agent/context.ts";
import { rates } from "../aggregator/comparison.ts";

export const scenarioContext = {
  ...sharedContext,
  milestones: z
    .array(z.number().int().min(1).max(99))
    .min(1)
    .default([30, 70])
    .describe("Meeting points of the mode `milestone`, in percent"),
  syncWaitSeconds: z
    .number()
    .positive()
    .max(60)
    .default(30)
    .describe("Seconds that the other scenarios may take after the first one has arrived"),
  batchRetries: z.number().int().min(0).max(10).default(3).describe("Retries of a failed batch"),
  retryDelayMs: z.number().int().min(0).max(60_000).default(500).describe("Pause before a retry. It doubles each time."),
  spreadWaitSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(600)
    .describe("With `spread`: seconds beyond a scenario's time budget after which its run counts as failed"),
  allowedHosts: AllowedHosts,
  allowedDirectories: AllowedDirectories,
  ...rates,
};

export type ScenarioContext = z.infer<z.ZodObject<typeof scenarioContext>>;
/** The context as a caller sends it. Fields with defaults may be missing. */
export type ScenarioContextInput = z.input<z.ZodObject<typeof scenarioContext>>;
