import { clean } from "../terminal/clean.ts";
import { reportImports } from "./imports.ts";
import { again, type ServiceMessage } from "./messages.ts";

/**
 * The program of the service's process under `ensemble dev`. Runs the service as `ensemble start` does. Also reports the imported files and
 * the URL of the service to `ensemble dev`. If `ensemble dev` is killed, the service stops too.
 */
async function main(): Promise<void> {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  const flush = reportImports((files) => send({ kind: "imported", files }));
  try {
    const { readEnvironment } = await import("../../startup/environment.ts");
    const { announce, serve } = await import("../serve.ts");
    await serve(await readEnvironment(), (service, config) => {
      send({ kind: "started", url: service.url });
      if (!process.argv.includes(again)) announce(service, config);
    });
  } catch (error) {
    console.error(`ensemble: ${clean(error instanceof Error ? error.message : String(error))}`);
    process.exitCode = 1;
  }
  flush();
}

/** Sends a message. If `ensemble dev` has gone, does nothing. */
function send(message: ServiceMessage): void {
  if (process.connected) process.send?.(message, () => {});
}

main().finally(() => setImmediate(() => process.exit())); // exits, although a graph's code may have left a timer open
