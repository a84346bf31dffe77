import { z } from "zod";
import { closed } from "../closed.ts";

/** The field of a run's context that sets its alerts. */
export const Alerts = closed({
  failureRate: z.number().min(0).max(1).optional().describe("Alert if a larger share of the run's calls of agents failed"),
  waitMs: z.number().min(0).optional().describe("Alert if a task or a call of the run waited longer, in milliseconds"),
  utilisation: z.number().min(0).max(1).optional().describe("Alert if the agents of the run worked for a smaller share of the time"),
  stalledSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(60)
    .describe("The run counts as stalled if no call ends for so long, and for twice the median duration of its calls"),
})
  .prefault({})
  .describe("Thresholds of the run's metrics. A run that crosses one emits an event and sets an alert in the service's metrics.");

export type Alerts = z.infer<typeof Alerts>;
