import { z } from "zod";
import { AllowedDirectories, AllowedHosts, sharedContext } from "../kit/context.ts";
import { Thresholds } from "../kit/measures.ts";

export const Context = z.object({
  ...sharedContext,
  milestones: z
    .array(z.number().int().min(1).max(99))
    .min(1)
    .default([30, 70])
    .describe("Where the scenarios wait for each other in the mode milestone, in percent"),
  syncWaitSeconds: z.number().positive().max(60).default(30).describe("How long after the first arrival the others may take"),
  batchRetries: z.number().int().min(0).max(10).default(3).describe("How often a failed batch is tried again"),
  retryDelayMs: z.number().int().min(0).max(60_000).default(500).describe("Pause before another try; it doubles each time"),
  allowedHosts: AllowedHosts,
  allowedDirectories: AllowedDirectories,
  thresholds: Thresholds,
});

export type Context = z.infer<typeof Context>;
