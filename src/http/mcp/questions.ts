import type { CallToolResult, InputRequest, InputRequiredResult } from "@modelcontextprotocol/server";
import type { Db } from "../../db/sql.ts";
import { answeringRuns } from "../../runs/read.ts";
import { type OpenQuestion, openQuestions } from "../../threads/questions.ts";
import { toClientRequest } from "./elicitation.ts";
import { capabilitiesOf, type McpCall } from "./mcp-call.ts";

/** A question that no run of its thread has answered yet. */
export interface AskedQuestion {
  /** The key of the question in the protocol. Over the life of a thread, no two questions have the same key. */
  key: string;
  question: OpenQuestion;
  request: InputRequest;
  /** True if the graph itself has written the request, in the form of the protocol. */
  isOwnRequest: boolean;
}

/**
 * Returns the questions of a thread that no run answers yet. While a run answers some of the questions, the others are still open.
 *
 * LangGraph gives a question the same id as an earlier question of the same node. So the number of earlier answers is part of the key.
 */
export async function unanswered(db: Db, threadId: string): Promise<AskedQuestion[]> {
  const runs = await answeringRuns(db, threadId);
  const isBeingAnswered = (id: string) => runs.some(({ open, ids }) => open && ids.includes(id));
  const open = (await openQuestions(db, threadId)).filter(({ id }) => !isBeingAnswered(id));
  return open.map((question) => {
    const round = runs.filter(({ ids }) => ids.includes(question.id)).length;
    const { request, form, key = question.id } = toClientRequest(question);
    return { key: round === 0 ? key : `${key}.${round + 1}`, question, request, isOwnRequest: form === "own" };
  });
}

export const inputRequestsOf = (asked: AskedQuestion[]) => Object.fromEntries(asked.map(({ key, request }) => [key, request]));

/** The run that has asked, as text that the client returns with the answers. */
export const toState = ({ thread_id, run_id }: { thread_id: string; run_id: string }): string => `${thread_id}.${run_id}`;

/** Returns the ids in a state, or undefined if the text is no state. */
export function readState(state: string): { threadId: string; runId: string } | undefined {
  const [, threadId, runId] = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(state) ?? [];
  return threadId && runId ? { threadId, runId } : undefined;
}

/**
 * Returns the questions of a run as the result of a call: as requests if the client can answer them, and else as text. A request that the
 * graph itself makes of the client stays a request. The package refuses it if the client lacks the capability.
 */
export function asQuestions(
  call: McpCall,
  run: { thread_id: string; run_id: string },
  asked: AskedQuestion[],
): InputRequiredResult | CallToolResult {
  const isReadable = asked.every(({ isOwnRequest }) => !isOwnRequest);
  if (!call.isModern || (isReadable && !asked.every(({ request }) => canAnswer(call, request)))) return inText(run, asked);
  return { resultType: "input_required", inputRequests: inputRequestsOf(asked), requestState: toState(run) };
}

function canAnswer({ context }: McpCall, { method }: InputRequest): boolean {
  const { elicitation, sampling, roots } = capabilitiesOf(context);
  const needed = { "elicitation/create": elicitation, "sampling/createMessage": sampling, "roots/list": roots };
  return needed[method] !== undefined;
}

/** The argument with which a client without requests answers the questions of an earlier call. */
export const resumeArgument = "_resume";

/**
 * Returns questions as a text that the client's model reads. The model answers by calling the tool again, because the older versions of the
 * protocol offer a stateless server no way to ask.
 */
function inText(run: { thread_id: string; run_id: string }, asked: AskedQuestion[]): CallToolResult {
  const questions = asked.map(({ key, request }) => `- ${key}: ${messageOf(request)}`).join("\n");
  const answers = Object.fromEntries(asked.map(({ key }) => [key, "<the answer>"]));
  const example = JSON.stringify({ [resumeArgument]: { state: toState(run), answers } });
  const text = `The tool needs an answer before it can continue.\n${questions}\n\nTo continue, call the tool again with only these arguments: ${example}`;
  const interrupts = asked.map(({ question: { id, value } }) => ({ id, value }));
  return { content: [{ type: "text", text }], structuredContent: { __interrupt__: interrupts } };
}

function messageOf({ params }: InputRequest): string {
  const { message, ...others } = (params ?? {}) as Record<string, unknown>;
  return typeof message === "string" ? message : JSON.stringify(others);
}
