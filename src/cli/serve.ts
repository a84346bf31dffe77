import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { createLogger } from "../log.ts";
import { type Service, startService } from "../main.ts";
import type { FirstCall } from "../registry/first-call.ts";
import { publishAddress } from "../startup/own-address.ts";
import { attemptAtWork } from "../worker/attempts.ts";

/** Runs the service until a signal stops it. Calls `onStarted` when the service has started. */
export async function serve(config: Config, onStarted = announce): Promise<void> {
  const log = createLogger(config.logLevel, process.stdout.isTTY ?? false);
  guardProcess(log);
  const stopping = listenForSignals();
  const service = await Promise.race([startService(config, log, stopping.signal), stopping.secondSignal]);
  const withdraw = service.url ? await publishAddress(config.dataDir, service.url) : undefined;
  onStarted(service, config);
  if ((await stopping.firstSignal) === "SIGINT") console.log("Stopping. Press Ctrl-C once more to stop at once.");
  stopping.secondSignal.catch(() => service.hurry());
  await withdraw?.();
  await service.stop();
}

/**
 * Listens for signals to stop. The first signal requests a clean stop, and the second one makes `secondSignal` reject. If the service is
 * still starting, it finishes its start first. The start is aborted only if it waits for the database or if a second signal arrives.
 */
function listenForSignals() {
  const firstSignal = Promise.withResolvers<NodeJS.Signals>();
  const secondSignal = Promise.withResolvers<never>();
  secondSignal.promise.catch(() => {}); // the code that awaits the promise handles its rejection
  const first = new AbortController();
  let count = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    count++;
    firstSignal.resolve(signal);
    first.abort();
    if (count > 1) secondSignal.reject(new Error("Stopped before it had started."));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { firstSignal: firstSignal.promise, secondSignal: secondSignal.promise, signal: first.signal };
}

/** Prints where the service listens, its graphs, and a first request to try. */
export function announce({ url, metricsUrl, graphIds, firstCall, embedded, langgraph }: Service, { port, portIsSet }: Config): void {
  if (metricsUrl) console.log(`Metrics: ${metricsUrl}`);
  if (!url) {
    console.log(`Ensemble worker runs ${graphIds.join(", ")}.`);
    if (langgraph) console.log(`LangGraph: ${langgraph}`);
    return;
  }
  const taken = new URL(url).port;
  if (!portIsSet && taken !== String(port)) console.log(`Port ${port} is taken by another process: this service uses ${taken}.`);
  console.log(`
Ensemble listens on ${url}  (API reference: ${url}/docs)
Graphs: ${graphIds.join(", ")}${embedded ? "\nDatabase: an embedded Postgres. Set DATABASE_URL to use your own." : ""}${langgraph ? `\nLangGraph: ${langgraph}` : ""}

${firstCall ? `Try it:\n  ${curlOf(url, firstCall)}` : `See what a graph takes:\n  curl -s ${url}/assistants/${graphIds[0]}/schemas`}
`);
}

const curlOf = (url: string, { graphId, input }: FirstCall) =>
  `curl -s ${url}/runs/wait -H 'content-type: application/json' -d '${JSON.stringify({ assistant_id: graphId, input })}'`;

/**
 * Logs errors that a graph's code throws outside its node, such as an unhandled rejection or an error in a timer. If the error belongs to a
 * run, the log names the run, and the process continues.
 *
 * If an exception belongs to no run, the process ends, because its state is unknown. Other workers then take over the runs of this process.
 */
function guardProcess(log: Logger): void {
  process.on("unhandledRejection", (reason) => {
    log.error({ err: reason, ...attemptAtWork() }, "unhandled rejection");
  });
  process.on("uncaughtException", (error) => {
    const attempt = attemptAtWork();
    if (attempt) log.error({ err: error, ...attempt }, "a graph threw outside its node");
    else {
      log.fatal({ err: error }, "uncaught exception");
      log.flush(() => process.exit(1));
    }
  });
}
