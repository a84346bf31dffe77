import type { Run } from "../../runs/run.ts";
import type { Answer, CallToCaller, Usage } from "./answer.ts";
import { type ResponseRequest, responseIdOf } from "./response-request.ts";

/** The fields of a response that stay the same from its start to its end. */
export interface ResponseFrame {
  /** The id of the response, which contains the id of its run. */
  id: string;
  runId: string;
  /** The time of the request, in seconds since 1970. */
  created: number;
  asked: ResponseRequest;
}

/** Returns the unchanging fields of the response that a run gives. */
export function frameOf({ run_id: runId, created_at }: Run, asked: ResponseRequest): ResponseFrame {
  return { id: responseIdOf(runId), runId, created: Math.floor(created_at.getTime() / 1_000), asked };
}

/** Returns the response of a run that has no answer, because the run still waits, is in progress or was cancelled. */
export const responseWithout = (frame: ResponseFrame, status: "queued" | "in_progress" | "cancelled") =>
  responseWith(frame, { status, output: [], usage: null });

/** Returns the response of a run that has ended. */
export function responseOf(frame: ResponseFrame, answer: Answer) {
  const { finish, error, usage } = answer;
  const isCut = finish === "length" || finish === "content_filter";
  return responseWith(frame, {
    status: error ? "failed" : isCut ? "incomplete" : "completed",
    output: outputOf(frame, answer),
    usage: toUsage(usage),
    ...(error && { error: { code: "server_error", message: error.message } }),
    ...(isCut && { incomplete_details: { reason: finish === "length" ? "max_output_tokens" : "content_filter" } }),
  });
}

/** The fields of a response that depend on its progress. */
interface Progress {
  status: "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";
  output: object[];
  usage: object | null;
  error?: object;
  incomplete_details?: object;
}

function responseWith({ id, created, asked }: ResponseFrame, more: Progress) {
  const { model, instructions, previous_response_id, store, tools, tool_choice, metadata, background } = asked;
  return {
    id,
    object: "response",
    created_at: created,
    background: background ?? false,
    error: null,
    incomplete_details: null,
    instructions: instructions ?? null,
    max_output_tokens: null,
    model,
    parallel_tool_calls: true,
    previous_response_id: previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    store: store ?? true,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: tool_choice ?? "auto",
    tools: tools ?? [],
    top_p: null,
    truncation: "disabled",
    metadata: metadata ?? {},
    ...more,
  };
}

/**
 * Returns the output items of a response: a message with the text, and the calls of the caller's tools. The message is missing if the
 * answer consists only of calls.
 */
export function outputOf(frame: ResponseFrame, { text, calls }: Answer): object[] {
  const message = text === "" && calls.length > 0 ? [] : [messageItem(frame, { text, status: "completed" })];
  return [...message, ...calls.map((call, index) => callItem(frame, call, index))];
}

/** Returns the output item of the message. Without a `text`, the item has no content part. */
export function messageItem({ runId }: ResponseFrame, { text, status }: { text?: string; status: "in_progress" | "completed" }) {
  return { id: `msg_${runId}`, type: "message", status, role: "assistant", content: text === undefined ? [] : [textPart(text)] };
}

export const textPart = (text: string) => ({ type: "output_text", annotations: [], logprobs: [], text });

/** Returns the output item of a tool call that the caller must execute. */
export function callItem({ runId }: ResponseFrame, { id, name, args }: CallToCaller, index: number) {
  return { id: `fc_${runId}_${index}`, type: "function_call", status: "completed", call_id: id, name, arguments: args };
}

const toUsage = ({ input, cached, output, reasoning }: Usage) => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});
