import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** What a code of the database or the system looks like, and no secret does. */
const plainCode = /^(?:[0-9A-Z]{5}|[A-Z_]{3,60})$/;

/**
 * Of an error its name, message, stack and plain code, and the messages and stacks of its causes. Whatever else hangs on one may be the
 * request that failed, credentials and all.
 */
function describeError(thrown: unknown): object {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: typeof thrown === "string" ? thrown : "not an error" };
  const { type, message, stack } = pino.stdSerializers.err(thrown);
  const code = "code" in thrown && plainCode.test(String(thrown.code)) ? { code: thrown.code } : {};
  return { type, message, stack, ...code };
}

/** One JSON line per event that matters; readable lines on a terminal. */
export function createLogger(level: Config["logLevel"], readable: boolean): Logger {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } };
  if (!readable) return pino(base);
  return pino({
    ...base,
    transport: { target: "pino-pretty", options: { colorize: true, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" } },
  });
}
