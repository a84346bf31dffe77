import type { Logger } from "pino";
import { attemptAtWork } from "../worker/attempts.ts";

/**
 * Logs errors that a graph's code throws outside its node, such as an unhandled rejection or an error in a timer. The log names the run,
 * and the process continues. An exception that belongs to no run ends the process, because its state is unknown. Other workers take over
 * its runs.
 */
export function guardProcess(log: Logger): void {
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
