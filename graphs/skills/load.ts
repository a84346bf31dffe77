import type autocannon from "autocannon";
import { z } from "zod";

/** The interval in milliseconds at which a load test checks whether it has ended. */
const sampleInt = 20;

/** The maximum number of requests of a scenario. The limit exists because the duration of every successful request is kept in memory. */
export const mostRequests = 100_000;

export const LoadProfile = z.enum(["steady", "ramp", "spike"]);

/** The load to send to one endpoint. */
export interface Load {
  profile: z.infer<typeof LoadProfile>;
  connections: number;
  /** The total number of requests. It has no effect if `durationSeconds` is set. */
  requests: number;
  durationSeconds?: number;
  timeoutSeconds: number;
  /** The maximum number of requests if `durationSeconds` is set. Without a duration, it has no effect. */
  most: number;
}

/** The measured answers of one endpoint. */
export const Answers = z.object({
  times: z.array(z.number()).describe("Milliseconds of every answer"),
  failures: z.number().int().describe("Requests without an answer, or with a status other than 2xx"),
  seconds: z.number(),
});

export type Answers = z.infer<typeof Answers>;

/** The stages of each load profile. A stage sends a share of all requests, over a share of the maximum number of connections. */
const stages: Record<Load["profile"], [load: number, connections: number][]> = {
  steady: [[1, 1]],
  ramp: [
    [1 / 6, 1 / 4],
    [1 / 6, 1 / 2],
    [2 / 3, 1],
  ],
  spike: [
    [1 / 4, 1 / 4],
    [1 / 2, 1],
    [1 / 4, 1 / 4],
  ],
};

/** Sends a load to an endpoint, stage by stage, and returns all answers. */
export async function sendLoad(url: string, load: Load, signal: AbortSignal): Promise<Answers> {
  const answers: Answers = { times: [], failures: 0, seconds: 0 };
  let sent = 0;
  let share = 0;
  for (const [part, width] of stages[load.profile]) {
    share += part;
    const amount = Math.round(load.requests * share) - sent; // rounding the running total keeps the sum of all stages exact
    sent += amount;
    const connections = Math.max(1, Math.round(load.connections * width));
    const { durationSeconds: seconds } = load;
    if (seconds !== undefined) {
      const most = Math.max(1, Math.floor(load.most * part));
      await sendStage(
        url,
        { connections: Math.min(connections, most), duration: seconds * part, maxOverallRequests: most },
        load,
        answers,
        signal,
      );
    } else if (amount > 0) await sendStage(url, { connections: Math.min(connections, amount), amount }, load, answers, signal);
  }
  return answers;
}

type Stage = Pick<autocannon.Options, "connections" | "amount" | "duration" | "maxOverallRequests">;

async function sendStage(url: string, stage: Stage, { timeoutSeconds }: Load, answers: Answers, signal: AbortSignal): Promise<void> {
  // imported on first use, because the library would slow down every start of the service
  const { default: start } = await import("autocannon");
  const startedAt = performance.now();
  let lastAt = startedAt;
  const ended = Promise.withResolvers<autocannon.Result>();
  const running = start(
    { url, timeout: timeoutSeconds, sampleInt, ...stage }, // `sampleInt` is short, because a test can end only when a sample is taken
    (error: Error | null, result) => (error ? ended.reject(error) : ended.resolve(result)),
  );
  const stop = () => running.stop();
  signal.addEventListener("abort", stop, { once: true });
  running.on("response", (_client, status, _bytes, ms) => {
    lastAt = performance.now();
    if (status >= 200 && status < 300) answers.times.push(Math.round(ms * 100) / 100);
    else answers.failures++;
  });
  const { errors } = await ended.promise.finally(() => signal.removeEventListener("abort", stop));
  signal.throwIfAborted();
  answers.failures += errors;
  answers.seconds += (lastAt - startedAt) / 1000;
}
