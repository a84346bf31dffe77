import type autocannon from "autocannon";
import { z } from "zod";
import { profile } from "./definition.ts";
import type { Skill } from "./skill.ts";

/** Milliseconds between two checks whether the load test is over. */
const sampleInt = 20;

/** The most requests, because the time of every answer is kept. */
const mostRequests = 100_000;

const Params = z.object({
  targets: z
    .array(z.url({ protocol: /^https?$/ }))
    .default([])
    .describe("Addresses to load. Without any: this service's own /ok."),
  requests: z.number().int().min(1).max(10_000).default(20).describe("Requests to each endpoint"),
  connections: z.number().int().min(1).max(256).default(2).describe("Parallel connections, multiplied by the complexity"),
  timeoutSeconds: z.number().int().min(1).max(60).default(5).describe("Timeout of one request"),
});

const Result = z.object({
  times: z.array(z.number()).describe("Milliseconds of every answer"),
  failures: z.number().int().describe("Requests without an answer, or with a status other than 2xx"),
  seconds: z.number(),
});

type Result = z.infer<typeof Result>;

/** Sends real load over HTTP. An item is an endpoint. Its answers and speed are measured, so no two runs are quite the same. */
export const performanceTesting: Skill<string, Result, z.infer<typeof Params>> = {
  name: "performance-testing",
  version: "1.0.0",
  description: "Sends real load to HTTP endpoints and measures the answers",
  params: Params,
  result: Result,
  scenarios: () => profile("linear", 10, [5, 10, 20]),

  generate({ size }, { targets, requests }) {
    if (size * requests > mostRequests) throw new Error(`${size} endpoints with ${requests} requests each are more than ${mostRequests}.`);
    const given = targets.length > 0 ? targets : [`${ownAddress()}/ok`];
    return Array.from({ length: size }, (_, index) => {
      const url = new URL(given[index % given.length] ?? "");
      url.searchParams.set("probe", String(index));
      return url.href;
    });
  },

  async invoke(batch, params, { allowedHosts, complexity, signal }) {
    const refused = batch.find((url) => !mayCall(new URL(url), allowedHosts));
    if (refused) throw new Error(describeRefused(new URL(refused)));
    const results: Result[] = [];
    for (const url of batch) results.push(await load(url, { ...params, connections: Math.ceil(params.connections * complexity) }, signal));
    if (results.every(({ times }) => times.length === 0)) throw new Error(`${new URL(batch[0] ?? "").host} does not answer.`);
    return results;
  },

  score(results) {
    const { p95Ms, errorRate } = summarize(results);
    return { latency: between(500, 100, p95Ms), reliability: between(0.05, 0, errorRate) };
  },

  measure: summarize,
};

/** Returns the URL of the service that runs the graph, else the default URL of a service. */
function ownAddress(): string {
  return process.env.ENSEMBLE_URL || `http://127.0.0.1:${process.env.PORT || 2024}`;
}

/** Tells whether a target is this service, under any of its loopback names, or a host that the operator allows. */
function mayCall(target: URL, allowedHosts: string[]): boolean {
  const own = new URL(ownAddress());
  const isOwnName = target.hostname === own.hostname || (isLoopback(target) && isLoopback(own));
  return (target.protocol === own.protocol && target.port === own.port && isOwnName) || allowedHosts.includes(target.host);
}

const isLoopback = ({ hostname }: URL) => hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);

const describeRefused = ({ host }: URL) =>
  `${host} is not this service. The operator allows other hosts in ENSEMBLE_PATTERN_HOSTS, and the context's allowedHosts narrow them.`;

async function load(url: string, { connections, requests, timeoutSeconds }: z.infer<typeof Params>, signal: AbortSignal): Promise<Result> {
  const startedAt = performance.now();
  let lastAt = startedAt;
  const times: number[] = [];
  let failures = 0;
  const ended = Promise.withResolvers<autocannon.Result>();
  const { default: start } = await import("autocannon"); // loaded on use, because every start of the service would pay for it
  const running = start(
    { url, connections: Math.min(connections, requests), amount: requests, timeout: timeoutSeconds, sampleInt }, // it ends with a sample
    (error: Error | null, result) => (error ? ended.reject(error) : ended.resolve(result)),
  );
  const stop = () => running.stop();
  signal.addEventListener("abort", stop, { once: true });
  running.on("response", (_client, status, _bytes, ms) => {
    lastAt = performance.now();
    if (status >= 200 && status < 300) times.push(Math.round(ms * 100) / 100);
    else failures++;
  });
  const { errors } = await ended.promise.finally(() => signal.removeEventListener("abort", stop));
  signal.throwIfAborted();
  return { times, failures: failures + errors, seconds: (lastAt - startedAt) / 1000 };
}

function summarize(results: Result[]) {
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

/** Returns 0 at the worst value, 1 at the best, and a linear value between. */
function between(worst: number, best: number, value: number): number {
  return Math.min(1, Math.max(0, (value - worst) / (best - worst)));
}
