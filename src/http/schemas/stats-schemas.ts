import { z } from "zod";

const count = z.number().int();
const seconds = z.number().nullable();
const Times = { p50: seconds, p95: seconds };

const runFields = {
  created: count.describe("runs whose first attempt a worker has begun"),
  succeeded: count,
  failed: count.describe("runs that ended with an error or a timeout"),
  interrupted: count.describe("runs that were cancelled"),
  throughput_per_hour: z.number().describe("runs that succeeded or failed in an hour"),
  conflicts: count.describe("contradictions between findings"),
  duration_seconds: z.object(Times).describe("from the first attempt to the end"),
  wait_seconds: z.object(Times).describe("from the due time to the first attempt"),
};

const AgentStats = z.object({
  graph: z.string(),
  agent: z.string(),
  health: z.enum(["healthy", "degraded", "failing"]).describe("by the last 20 calls: degraded above 10 % of failures, failing above 50 %"),
  calls: count,
  failures: count,
  failure_rate: z.number(),
  latency_seconds: z.object({ mean: z.number(), ...Times }),
  waits: count.describe("calls that had to wait for a resource"),
  waited_seconds: z.number(),
  input_tokens: count,
  output_tokens: count,
  retries: count,
  recoveries: count,
  stalls: count,
  last_error: z.object({ message: z.string(), at: z.iso.datetime() }).nullable(),
});

const Alert = z.object({
  graph: z.string(),
  alert: z.string(),
  active: z.boolean().describe("whether the last run that was checked has crossed the threshold"),
  value: z.number(),
  threshold: z.number(),
  run_id: z.uuid().describe("the run that crossed the threshold last"),
  crossings: count,
  crossed_at: z.iso.datetime(),
});

export const ServiceStats = z
  .object({
    now: z.iso.datetime(),
    since: z.iso.datetime().describe("the start of the first hour that counts"),
    runs: z.object(runFields),
    graphs: z.array(z.object({ graph: z.string(), ...runFields })),
    agents: z.array(AgentStats),
    alerts: z.array(Alert),
  })
  .meta({ id: "ServiceStats" });
