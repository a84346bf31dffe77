import type { Logger } from "pino";
import { setGlobal } from "./globals.ts";

/** Maps the log levels that graphs use to the levels of the service's log. The SDK's logger has the levels of winston. */
const levels = { error: "error", warn: "warn", info: "info", http: "debug", verbose: "debug", debug: "debug", silly: "trace" } as const;

type Level = keyof typeof levels;
type Log = (message: unknown, ...meta: unknown[]) => void;
type SdkLogger = Record<Level, Log> & { log(level: Level, message: unknown, ...meta: unknown[]): void; child(bindings: object): SdkLogger };

/**
 * Makes the SDK's `getLogger()` return our log, for graphs and the project's own routes. `context` returns the log fields of the run to
 * which the calling code belongs.
 */
export function installLogger(log: Logger, context: () => object | undefined): () => void {
  return setGlobal(Symbol.for("langgraph.api.sdk-logger"), sdkLogger(log, context));
}

function sdkLogger(log: Logger, context: () => object | undefined): SdkLogger {
  const write = (level: Level, message: unknown, meta: unknown[]) => {
    const objects = [message, ...meta].filter((part) => typeof part === "object" && part !== null);
    const texts = [message, ...meta].filter((part) => typeof part !== "object" && part !== undefined).map(String);
    const fields = Object.assign({}, ...objects.map((part) => (part instanceof Error ? { err: part } : part)), context());
    log[levels[level] ?? "info"](fields, texts.join(" "));
  };
  const at =
    (level: Level): Log =>
    (message, ...meta) =>
      write(level, message, meta);
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    http: at("http"),
    verbose: at("verbose"),
    debug: at("debug"),
    silly: at("silly"),
    log: (level, message, ...meta) => write(level, message, meta),
    child: (bindings) => sdkLogger(log.child(bindings), context),
  };
}
