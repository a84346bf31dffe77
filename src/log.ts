import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** One JSON line per event that matters; readable lines on a terminal. */
export function createLogger(level: Config["logLevel"], readable: boolean): Logger {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!readable) return pino(base);
  return pino({
    ...base,
    transport: { target: "pino-pretty", options: { colorize: true, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" } },
  });
}
