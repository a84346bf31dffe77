import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Answer, answer, type ToolCall, usageOf } from "./answer.ts";
import type { ChatRequest } from "./request.ts";
import { tokensOf } from "./tokens.ts";

export const modelName = "rehearsal";

/** Returns the fields that every answer shares. The id is random, so that two equal answers stay two messages. */
const origin = (object: string) => ({
  id: `chatcmpl-${randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: modelName,
  system_fingerprint: modelName,
});

export function complete(request: ChatRequest, response: ServerResponse): void {
  const answers = Array.from({ length: request.n ?? 1 }, (_, choice) => answer(request, choice));
  if (request.stream) stream(request, answers, response);
  else sendWhole(request, answers, response);
}

function sendWhole(request: ChatRequest, answers: Answer[], response: ServerResponse): void {
  const choices = answers.map(({ tokens, toolCalls, finish }, index) => ({
    index,
    message: {
      role: "assistant",
      content: toolCalls.length > 0 ? null : tokens.join(""),
      refusal: null,
      ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
    },
    logprobs: null,
    finish_reason: finish,
  }));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ...origin("chat.completion"), choices, usage: usageOf(request, answers) }));
}

function stream(request: ChatRequest, answers: Answer[], response: ServerResponse): void {
  const withUsage = request.stream_options?.include_usage === true;
  const head = origin("chat.completion.chunk");
  const send = (choices: object[], usage: object | null = null) =>
    response.write(`data: ${JSON.stringify({ ...head, choices, ...(withUsage && { usage }) })}\n\n`);

  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  answers.forEach(({ tokens, toolCalls, finish }, index) => {
    const choice = (delta: object, reason: string | null = null) => send([{ index, delta, logprobs: null, finish_reason: reason }]);
    choice({ role: "assistant", content: toolCalls.length > 0 ? null : "" });
    for (const token of tokens) choice({ content: token });
    for (const delta of toolCalls.flatMap(callDeltas)) choice(delta);
    choice({}, finish);
  });
  if (withUsage) send([], usageOf(request, answers));
  response.end("data: [DONE]\n\n");
}

/** Returns the chunks of a tool call: first its name, then its arguments in pieces. */
function callDeltas({ id, type, function: { name, arguments: text } }: ToolCall, index: number): object[] {
  const opening = { tool_calls: [{ index, id, type, function: { name, arguments: "" } }] };
  return [opening, ...tokensOf(text).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }))];
}
