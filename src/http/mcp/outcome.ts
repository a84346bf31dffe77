import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { getRun } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { alreadyDecided } from "../admission/access.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { runOutput } from "../sse/follow.ts";
import { toResult } from "./content.ts";
import { type AskedQuestion, unanswered } from "./questions.ts";

/**
 * The outcome of a run. `isAborted` is true if the service itself has ended the run, because it took too long or because its workers
 * crashed.
 */
export type Outcome =
  | { kind: "result"; result: CallToolResult }
  | { kind: "failure"; reason: string; isAborted: boolean }
  | { kind: "questions"; asked: AskedQuestion[] }
  | { kind: "cancelled" };

const Failure = z.object({ __error__: z.object({ error: z.string(), message: z.string() }) });

/** Waits for a run, and returns its outcome. Returns undefined if the signal aborts first. */
export async function outcomeOf(
  deps: StartDeps,
  { run_id: runId, thread_id: threadId }: Run,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const output = await runOutput(deps, { scope: alreadyDecided, runId, threadId }, { signal });
  if (output === undefined) return undefined;
  const { status } = await getRun(deps.pool, alreadyDecided, threadId, runId);
  if (status === "interrupted") return { kind: "cancelled" };
  if (status !== "success") return { kind: "failure", ...failureIn(output), ...(status === "timeout" && { isAborted: true }) };
  const asked = await unanswered(deps.pool, threadId);
  return asked.length > 0 ? { kind: "questions", asked } : { kind: "result", result: toResult(output) };
}

function failureIn(output: string | null): { reason: string; isAborted: boolean } {
  const failure = Failure.safeParse(output === null ? undefined : JSON.parse(output)).data?.__error__;
  if (!failure) return { reason: "The run has failed.", isAborted: false };
  return { reason: `${failure.error}: ${failure.message}`, isAborted: failure.error === "WorkerCrashError" };
}
