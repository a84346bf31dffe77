import type { Logger } from "pino";
import { attemptAtWork } from "../worker/attempts.ts";

/**
 * A graph's code may throw outside its node: a promise nobody awaits, a timer. That is logged with its run and ends nothing else. An
 * exception that belongs to no run is ours, and a process in an unknown state ends: its runs are taken over.
 */
export function guardProcess(log: Logger): void {
  process.on("unhandledRejection", (reason) => {
    log.error({ err: reason, ...attemptAtWork() }, "a rejection that nobody awaited");
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
