import { randomUUID } from "node:crypto";
import type { FastifyReply } from "fastify";
import { type Answer, answer, type ToolCall } from "./answer.ts";
import type { ChatRequest } from "./request.ts";
import { tokensOf } from "./words.ts";

export const modelName = "rehearsal";

/**
 * Handles a request for a chat completion. Returns one response or the text of server-sent events. The answer's id is random, because
 * graphs would treat two messages with the same id as one.
 */
export function complete(request: ChatRequest, reply: FastifyReply): object | string {
  const answers = Array.from({ length: request.n ?? 1 }, (_, choice) => answer(request, choice));
  const object = request.stream ? "chat.completion.chunk" : "chat.completion";
  const origin = { id: `chatcmpl-${randomUUID()}`, object, created: Math.floor(Date.now() / 1000), model: modelName };
  const head = { ...origin, system_fingerprint: modelName };
  const usage = usageOf(request, answers);
  if (!request.stream) return { ...head, choices: answers.map(choiceOf), usage };
  reply.header("content-type", "text/event-stream").header("cache-control", "no-cache");
  const withUsage = request.stream_options?.include_usage === true;
  const chunks: object[] = answers.flatMap(chunksOf).map((choice) => ({ choices: [choice], ...(withUsage && { usage: null }) }));
  if (withUsage) chunks.push({ choices: [], usage });
  return `${chunks.map((chunk) => `data: ${JSON.stringify({ ...head, ...chunk })}\n\n`).join("")}data: [DONE]\n\n`;
}

function choiceOf({ tokens, toolCalls, finish }: Answer, index: number): object {
  const isCall = toolCalls.length > 0;
  const content = isCall ? null : tokens.join("");
  const message = { role: "assistant", content, refusal: null, ...(isCall && { tool_calls: toolCalls }) };
  return { index, message, logprobs: null, finish_reason: finish };
}

function chunksOf({ tokens, toolCalls, finish }: Answer, index: number): object[] {
  const opening = { role: "assistant", content: toolCalls.length > 0 ? null : "" };
  const deltas = [opening, ...tokens.map((content) => ({ content })), ...toolCalls.flatMap(callDeltas)];
  const chunk = (delta: object, reason: string | null) => ({ index, delta, logprobs: null, finish_reason: reason });
  return [...deltas.map((delta) => chunk(delta, null)), chunk({}, finish)];
}

/** Returns a tool call in the chunks in which it is streamed: first its name, then parts of its arguments. */
function callDeltas({ id, type, function: { name, arguments: text } }: ToolCall, index: number): object[] {
  const opening = { tool_calls: [{ index, id, type, function: { name, arguments: "" } }] };
  return [opening, ...tokensOf(text).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }))];
}

/** Returns the token counts of a request and its answers, estimated from the length of the texts. */
function usageOf({ messages, tools, response_format: format }: ChatRequest, answers: Answer[]): object {
  const prompt = Math.ceil(JSON.stringify([messages, tools, format]).length / 4);
  const lengthOf = ({ tokens, toolCalls }: Answer) => tokens.length + Math.floor(JSON.stringify(toolCalls).length / 4);
  const completion = answers.reduce((sum, one) => sum + lengthOf(one), 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
