import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** Matches the error codes of Postgres and the operating system. The log may show such a code, because secrets do not have this form. */
const plainCode = /^(?:[0-9A-Z]{5}|[A-Z_]{3,60})$/;

/**
 * Returns an error's name, message, stack and code, with the messages and stacks of its causes. Other properties are left out, because they
 * may contain credentials, such as the headers of a failed request.
 */
function describeError(thrown: unknown): object {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: typeof thrown === "string" ? thrown : "not an error" };
  const { type, message, stack } = pino.stdSerializers.err(thrown);
  const code = "code" in thrown && plainCode.test(String(thrown.code)) ? { code: thrown.code } : {};
  return { type, message, stack, ...code };
}

/** Creates the log. It writes one JSON line for each event, or readable lines on a terminal. */
export function createLogger(level: Config["logLevel"], readable: boolean): Logger {
  const base = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } };
  if (!readable) return pino(base);
  return pino({
    ...base,
    transport: { target: "pino-pretty", options: { colorize: true, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" } },
  });
}
