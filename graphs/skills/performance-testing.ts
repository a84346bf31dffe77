import { z } from "zod";
import { profile } from "./definition.ts";
import { Answers, LoadProfile, mostRequests, sendLoad } from "./load.ts";
import { defineSkill } from "./skill.ts";

const Params = z.strictObject({
  targets: z
    .array(z.url({ protocol: /^https?$/ }))
    .default([])
    .describe("Addresses to load. If empty: the path /ok of this service."),
  requests: z.number().int().min(1).max(10_000).default(20).describe("Requests to each endpoint"),
  connections: z.number().int().min(1).max(256).default(2).describe("Parallel connections, multiplied by the complexity"),
  timeoutSeconds: z.number().int().min(1).max(60).default(5).describe("Timeout of one request"),
  profile: LoadProfile.default("steady").describe("All connections at once, in three steps, or as a spike in the middle"),
  durationSeconds: z
    .number()
    .positive()
    .max(3_600)
    .optional()
    .describe("Seconds of load on each endpoint, instead of a number of requests"),
  hotEndpoints: z.number().min(0).max(1).default(0).describe("Share of endpoints that get five times the requests"),
  throughput: z.number().positive().default(100).describe("Requests per second of an endpoint that give the score 1"),
});

type Params = z.infer<typeof Params>;

interface Endpoint {
  url: string;
  /** The load on this endpoint, as a multiple of the load on an ordinary endpoint. */
  factor: number;
  /** The maximum number of requests to this endpoint. It has an effect only if the load ends after a fixed duration. */
  most: number;
}

const hotFactor = 5;

/** Sends real load over HTTP. Each item is an endpoint. The skill measures real answers and times, so two runs are never exactly alike. */
export const performanceTesting = defineSkill<Endpoint, Answers, Params>({
  name: "performance-testing",
  version: "1.1.0",
  description: "Sends real load to HTTP endpoints and measures the answers",
  params: Params,
  result: Answers,
  scenarios: () =>
    profile("linear", 10, [5, 15, 40], {
      qualityMetrics: [usual, usual, [...usual, "throughputScore"]],
      skillParams: [{ profile: "steady" }, { profile: "ramp" }, { profile: "spike", hotEndpoints: 0.2 }],
    }),

  generate({ size }, { targets, requests, hotEndpoints }) {
    const hot = Math.floor(size * hotEndpoints);
    const shares = size + hot * (hotFactor - 1);
    if (shares * requests > mostRequests) {
      throw new Error(`${size} endpoints with ${requests} requests each are more than ${mostRequests}.`);
    }
    const given = targets.length > 0 ? targets : [`${ownAddress()}/ok`];
    return Array.from({ length: size }, (_, index) => {
      const url = new URL(given[index % given.length] ?? "");
      url.searchParams.set("probe", String(index));
      return { url: url.href, factor: index < hot ? hotFactor : 1, most: Math.floor(mostRequests / shares) };
    });
  },

  async invoke(batch, params, { allowedHosts, complexity, signal }) {
    const refused = batch.find(({ url }) => !mayCall(new URL(url), allowedHosts));
    if (refused) throw new Error(describeRefused(new URL(refused.url)));
    const connections = Math.ceil(params.connections * complexity);
    const results: Answers[] = [];
    for (const { url, factor, most } of batch) {
      const load = { ...params, connections: connections * factor, requests: params.requests * factor, most: most * factor };
      results.push(await sendLoad(url, load, signal));
    }
    if (results.every(({ times }) => times.length === 0)) throw new Error(`${new URL(batch[0]?.url ?? "").host} does not answer.`);
    return results;
  },

  score(results, { params }) {
    const { p95Ms, errorRate, throughput } = summarize(results);
    return {
      latency: between(500, 100, p95Ms),
      reliability: between(0.05, 0, errorRate),
      throughputScore: between(0, params.throughput, throughput),
    };
  },

  measure: summarize,
  targets: () => [
    { metric: "p95Ms", below: 500, weight: 0.5 },
    { metric: "errorRate", below: 0.01, weight: 0.5 },
  ],
  work: () => 1, // the complexity adds parallel connections, but no requests
});

const usual = ["latency", "reliability", "functional"];

/** Returns the URL of the service that runs the graph. If none is set, returns the default URL of a service. */
function ownAddress(): string {
  return process.env.ENSEMBLE_URL || `http://127.0.0.1:${process.env.PORT || 2024}`;
}

/**
 * Tells whether the skill may send load to a target. Allowed are the operator's hosts, and this service under any of its loopback names.
 */
function mayCall(target: URL, allowedHosts: string[]): boolean {
  const own = new URL(ownAddress());
  const isOwnName = target.hostname === own.hostname || (isLoopback(target) && isLoopback(own));
  return (target.protocol === own.protocol && target.port === own.port && isOwnName) || allowedHosts.includes(target.host);
}

const isLoopback = ({ hostname }: URL) => hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);

const describeRefused = ({ host }: URL) =>
  `${host} is not this service. The operator allows other hosts in ENSEMBLE_PATTERN_HOSTS, and the context's allowedHosts narrow them.`;

function summarize(results: Answers[]) {
  const times = results.flatMap((result) => result.times).sort((a, b) => a - b);
  const failures = results.reduce((sum, result) => sum + result.failures, 0);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const requests = times.length + failures;
  return {
    requests,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    throughput: seconds > 0 ? Math.round(requests / seconds) : 0,
    errorRate: requests > 0 ? failures / requests : 0,
  };
}

/** Returns the score for a value: 0 at `worst`, 1 at `best`, and linear in between. */
function between(worst: number, best: number, value: number): number {
  return Math.min(1, Math.max(0, (value - worst) / (best - worst)));
}
