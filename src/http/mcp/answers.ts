import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ToolAssistant } from "../../assistants/tools.ts";
import type { Db } from "../../db/sql.ts";
import { runNotFound, ServiceError } from "../../errors.ts";
import { getRun, listRuns } from "../../runs/read.ts";
import type { RunRequest } from "../../runs/request.ts";
import type { Run, StreamMode } from "../../runs/run.ts";
import { submitRuns } from "../../runs/submit.ts";
import { lockThread } from "../../threads/threads.ts";
import { alreadyDecided } from "../admission/access.ts";
import { admitRun } from "../admission/run-access.ts";
import { idempotent } from "../runs/idempotency-key.ts";
import { runCheck } from "../runs/run-check.ts";
import { toNewRun } from "../runs/run-request.ts";
import { readText, toAnswer } from "./elicitation.ts";
import type { McpCall, McpRequest } from "./mcp-call.ts";
import { failedResult, invalidParams } from "./mcp-errors.ts";
import { streamModesFor } from "./progress.ts";
import { type AskedQuestion, asQuestions, readState, resumeArgument, unanswered } from "./questions.ts";

/**
 * The client's answers to the questions of an earlier call. That call has returned the text `state` together with its questions, and the
 * client sends it back. Each key of `responses` is the key of a question.
 */
export interface GivenAnswers {
  state: string;
  responses: Record<string, unknown>;
  /** True if the responses are plain values from the tool's argument `_resume`. False if they are responses to requests of MCP. */
  isPlain: boolean;
}

const Resume = z.object({ [resumeArgument]: z.object({ state: z.string(), answers: z.record(z.string(), z.unknown()) }) });

/** Returns the answers that a call contains. Returns undefined if the call does not answer an earlier call. */
export function answersIn({ context: { mcpReq } }: McpCall, args: Record<string, unknown>): GivenAnswers | undefined {
  const state = mcpReq.requestState();
  if (typeof state === "string") return { state, responses: mcpReq.inputResponses ?? {}, isPlain: false };
  if (!(resumeArgument in args)) return undefined;
  const given = Resume.safeParse(args).data?.[resumeArgument];
  if (!given) throw invalidParams(`${resumeArgument}: must hold the state and the answers of a question that this tool has asked.`);
  return { state: given.state, responses: given.answers, isPlain: true };
}

/**
 * Continues an earlier call with the answers of a new call. Returns the run that continues, or a result for the client if no answer can be
 * used. If the same answers arrive twice, the second request gets the run of the first.
 */
export async function continueCall(
  call: McpCall,
  tool: ToolAssistant,
  { state, responses, isPlain }: GivenAnswers,
): Promise<Run | ReturnType<typeof asQuestions>> {
  const asker = await findAsker(call, tool, state);
  const { thread_id: threadId } = asker;
  const newest = await newestRun(call.deps.pool, threadId);
  if (newest.run_id !== asker.run_id) return newest;
  const asked = await unanswered(call.deps.pool, threadId);
  if (asked.length === 0) return newest;
  const resume = isPlain ? plainAnswers(asked, responses) : answersFrom(asked, responses);
  if (resume === "declined") return declined();
  if (Object.keys(resume).length === 0) return asQuestions(call, asker, asked);
  return answer(call, { asker, resume, streamModes: streamModesFor(call.context) }).catch((error) => {
    if (isAnswered(error)) return newestRun(call.deps.pool, threadId);
    throw error;
  });
}

const declined = (): CallToolResult => failedResult("The question of this tool was not answered, so the tool did not continue.");

async function findAsker({ deps, request }: McpCall, { tool }: ToolAssistant, state: string): Promise<Run> {
  const ids = readState(state);
  const unknown = () => invalidParams("Invalid or expired requestState.");
  if (!ids) throw unknown();
  const { scope } = await request.access("threads:read", { thread_id: ids.threadId, run_id: ids.runId });
  const asker = await getRun(deps.pool, scope, ids.threadId, ids.runId).catch((error) => {
    throw error instanceof ServiceError ? unknown() : error;
  });
  if (asker.metadata.mcp_tool !== tool) throw unknown();
  return asker;
}

/** Returns the newest run of a thread. Does not check access, so check first that the caller may see the thread. */
export async function newestRun(db: Db, threadId: string): Promise<Run> {
  const {
    rows: [run],
  } = await listRuns(db, alreadyDecided, threadId, { limit: 1, offset: 0 });
  if (!run) throw runNotFound();
  return run;
}

/**
 * Returns the client's answers, keyed by the ids of their questions. Leaves out malformed responses, and responses whose key belongs to no
 * question. The client is then asked these questions again.
 */
export function answersFrom(asked: AskedQuestion[], responses: Record<string, unknown>): Record<string, unknown> | "declined" {
  const resume: Record<string, unknown> = {};
  for (const { key, question } of asked) {
    const given = Object.hasOwn(responses, key) ? toAnswer(question, responses[key]) : "malformed";
    if (given === "declined") return "declined";
    if (given !== "malformed") resume[question.id] = given.answer;
  }
  return resume;
}

function plainAnswers(asked: AskedQuestion[], answers: Record<string, unknown>): Record<string, unknown> {
  const given = asked.filter(({ key }) => Object.hasOwn(answers, key));
  return Object.fromEntries(given.map(({ key, question }) => [question.id, readText(answers[key])]));
}

interface Answering {
  /** The run that asked the questions. */
  asker: Run;
  /** The answers, by the ids of their questions. */
  resume: Record<string, unknown>;
  streamModes: StreamMode[];
}

/** Tells whether an error means that another request has already answered the question. */
export const isAnswered = (error: unknown): boolean => error instanceof ServiceError && error.code === "conflict";

/** Creates the run that continues with these answers. If another request has answered one of the questions meanwhile, throws a conflict. */
export async function answer({ deps, request }: McpRequest, { asker, resume, streamModes }: Answering): Promise<Run> {
  const { thread_id: threadId, assistant_id, metadata, kwargs } = asker;
  const body: RunRequest = {
    assistant_id,
    command: { resume },
    context: kwargs.context,
    metadata: { mcp_tool: metadata.mcp_tool },
    stream_mode: streamModes,
  };
  const { caller, run } = await admitRun(request, toNewRun(deps.settings, body, { threadId, headers: request.headers }));
  const prepare = async (tx: Db) => {
    await lockThread(tx, caller.threads, threadId);
    const open = await unanswered(tx, threadId);
    const isOpen = (id: string) => open.some(({ question }) => question.id === id);
    if (!Object.keys(resume).every(isOpen)) throw new ServiceError("conflict", "The question was answered meanwhile.");
  };
  const submission = { caller, run, check: runCheck(deps.registry) };
  const [made] = await submitRuns(deps, [submission], { key: idempotent(request), prepare });
  if (!made) throw runNotFound();
  return made;
}
