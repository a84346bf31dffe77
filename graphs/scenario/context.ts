import { z } from "zod";
import { AllowedDirectories, AllowedHosts, sharedContext } from "../kit/context.ts";
import { Thresholds } from "../kit/measures.ts";

export const Context = z.object({
  ...sharedContext,
  milestones: z
    .array(z.number().int().min(1).max(99))
    .min(1)
    .default([30, 70])
    .describe("Meeting points of the mode `milestone`, in percent"),
  syncWaitSeconds: z.number().positive().max(60).default(30).describe("Seconds that the others may take after the first arrival"),
  batchRetries: z.number().int().min(0).max(10).default(3).describe("Retries of a failed batch"),
  retryDelayMs: z.number().int().min(0).max(60_000).default(500).describe("Pause before a retry. It doubles each time."),
  allowedHosts: AllowedHosts,
  allowedDirectories: AllowedDirectories,
  thresholds: Thresholds,
});

export type Context = z.infer<typeof Context>;
