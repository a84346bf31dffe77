import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { getRun } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { alreadyDecided } from "../admission/access.ts";
import type { StartDeps } from "../runs/start-run.ts";
import { runOutput } from "../sse/follow.ts";
import { toResult } from "./content.ts";
import { failedResult } from "./mcp-errors.ts";
import { type AskedQuestion, unanswered } from "./questions.ts";

/** What a run has left: a result, questions, or nothing because it was cancelled. */
export type Outcome = { kind: "result"; result: CallToolResult } | { kind: "questions"; asked: AskedQuestion[] } | { kind: "cancelled" };

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
  if (status !== "success") return { kind: "result", result: failedResult(reasonIn(output)) };
  const asked = await unanswered(deps.pool, threadId);
  return asked.length > 0 ? { kind: "questions", asked } : { kind: "result", result: toResult(output) };
}

function reasonIn(output: string | null): string {
  const failure = Failure.safeParse(output === null ? undefined : JSON.parse(output)).data?.__error__;
  return failure ? `${failure.error}: ${failure.message}` : "The run has failed.";
}
