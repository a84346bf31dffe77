import type { ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { RunEvent } from "../../events/log.ts";
import type { StreamMode } from "../../runs/run.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { isObject } from "./content.ts";

/** A custom event by which a graph reports its own progress. */
const Progress = z.looseObject({ progress: z.number(), total: z.number().optional(), message: z.string().optional() });
/** A custom event by which a graph writes a line to the client's log. */
const LogLine = z.looseObject({
  level: z.enum(["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]),
  data: z.unknown(),
  logger: z.string().optional(),
});

const tokenOf = ({ mcpReq: { _meta: meta } }: ServerContext) => meta?.progressToken;

/** Returns the stream modes for the run of a call. The mode "updates" is left out if the client has not asked for progress. */
export const streamModesFor = (context: ServerContext): StreamMode[] =>
  tokenOf(context) === undefined ? ["custom"] : ["custom", "updates"];

/**
 * Sends the progress of a run to the client, until the run has ended or the signal aborts. Each finished step of the graph adds 1 to the
 * progress, unless the graph reports its own progress. Never rejects, because the call can succeed even if these notifications fail.
 */
export async function sendProgress({ feed, log }: StartDeps, runId: string, context: ServerContext, signal: AbortSignal): Promise<void> {
  const reporter = new Reporter(context);
  try {
    for await (const events of feed.follow(runId, -1, signal)) for (const event of events) await reporter.send(event);
  } catch (err) {
    log.debug({ err, run_id: runId }, "MCP progress ended");
  }
}

class Reporter {
  readonly #context: ServerContext;
  #steps = 0;
  #reported = Number.NEGATIVE_INFINITY;
  #isOfGraph = false;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  async send({ event, data }: RunEvent): Promise<void> {
    const [mode] = event.split("|");
    if (mode === "custom") await this.#sendCustom(JSON.parse(data));
    if (event === "updates" && !this.#isOfGraph) await this.#sendStep(JSON.parse(data));
  }

  async #sendCustom(payload: unknown): Promise<void> {
    const line = LogLine.safeParse(payload).data;
    if (line) await this.#context.mcpReq.log(line.level, line.data, line.logger);
    const progress = Progress.safeParse(payload).data;
    if (!progress) return;
    this.#isOfGraph = true;
    await this.#notify(progress.progress, progress.total, progress.message);
  }

  async #sendStep(update: unknown): Promise<void> {
    this.#steps += 1;
    const names = isObject(update) ? Object.keys(update).filter((name) => !name.startsWith("__")) : [];
    await this.#notify(this.#steps, undefined, names.join(", ") || undefined);
  }

  /** Sends a notification. Progress that does not increase is left out, because the protocol forbids it. */
  async #notify(progress: number, total: number | undefined, message: string | undefined): Promise<void> {
    const progressToken = tokenOf(this.#context);
    if (progressToken === undefined || progress <= this.#reported) return;
    this.#reported = progress;
    const params = { progressToken, progress, ...(total !== undefined && { total }), ...(message !== undefined && { message }) };
    await this.#context.mcpReq.notify({ method: "notifications/progress", params });
  }
}
