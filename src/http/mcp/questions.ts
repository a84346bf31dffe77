import type { CallToolResult, InputRequest, InputRequiredResult } from "@modelcontextprotocol/server";
import type { Db } from "../../db/sql.ts";
import { answeringRuns } from "../../runs/read.ts";
import { type OpenQuestion, openQuestions } from "../../threads/questions.ts";
import { toClientRequest } from "./elicitation.ts";
import { capabilitiesOf, type McpCall } from "./mcp-call.ts";

/** An open question that no pending or running run answers. */
export interface AskedQuestion {
  /**
   * The name under which the client sees the question and answers it. It differs from the key of every other question that this thread has
   * asked.
   */
  key: string;
  question: OpenQuestion;
  request: InputRequest;
  /** True if the graph itself has written the request, in the form of the protocol. */
  isOwnRequest: boolean;
}

/**
 * Returns the open questions of a thread, except those that a pending or running run already answers.
 *
 * If a node asks again after an answer, LangGraph gives the new question the id of the earlier one. The key of the new question therefore
 * also contains a number, which grows with each answer to a question with this id.
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

/** Returns the ids of the run that asked the questions, as one text. The client returns this text with its answers. */
export const toState = ({ thread_id, run_id }: { thread_id: string; run_id: string }): string => `${thread_id}.${run_id}`;

/** Returns the ids from a text that `toState` has written. Returns undefined for any other text. */
export function readState(state: string): { threadId: string; runId: string } | undefined {
  const [, threadId, runId] = /^([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/.exec(state) ?? [];
  return threadId && runId ? { threadId, runId } : undefined;
}

/**
 * Returns the questions of a run in place of the result of a tool call.
 * - A client of an older protocol version gets the questions as a text for its model.
 * - Any other client gets MCP requests if it declares that it supports them, and otherwise a text.
 * - A request that the graph itself has written cannot become a text. If the client does not support it, the MCP package refuses to send
 *   it.
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

/**
 * The tool argument for answers to questions. If the result of an earlier call was a text with questions, the model calls the tool again
 * with the answers in this argument.
 */
export const resumeArgument = "_resume";

/**
 * Returns questions as a text that the client's model reads. The text tells the model to call the tool again with the answers. In older
 * versions of the protocol, a server without sessions has no other way to ask.
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
