import { adoptEnvironment, projectFile, readConfig } from "../config.ts";
import { createLogger } from "../log.ts";
import { type Service, startService } from "../main.ts";
import { readProject } from "../registry/project.ts";
import { guardProcess } from "./guard-process.ts";

/** Runs the service until it is told to stop. */
export async function start(): Promise<void> {
  adoptEnvironment((await readProject(projectFile())).env);
  const config = readConfig();
  const log = createLogger(config.logLevel, process.stdout.isTTY ?? false);
  const stopping = stopOnSignals();
  guardProcess(log);
  const service = await startService(config, log).catch((error) => {
    log.flush();
    throw error;
  });
  announce(service);
  if ((await stopping.first) === "SIGINT") console.log("Stopping; once more to stop at once.");
  void stopping.second.then(() => service.hurry());
  await service.stop();
}

function stopOnSignals() {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  const onSignal = (signal: NodeJS.Signals) => {
    second.resolve(signal);
    if (!heard) second.promise = new Promise(() => {});
    heard = true;
    first.resolve(signal);
  };
  let heard = false;
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { first: first.promise, second: second.promise };
}

function announce({ url, graphIds, embedded }: Service): void {
  if (!url) {
    console.log(`Ensemble worker runs ${graphIds.join(", ")}.`);
    return;
  }
  const body = JSON.stringify({ assistant_id: graphIds[0], input: { messages: [{ role: "user", content: "hello" }] } });
  console.log(`
Ensemble listens on ${url}  (API reference: ${url}/docs)
Graphs: ${graphIds.join(", ")}${embedded ? "\nDatabase: an embedded Postgres; set DATABASE_URL to use your own." : ""}

Try it:
  curl -s ${url}/runs/wait -H 'content-type: application/json' -d '${body}'
`);
}
