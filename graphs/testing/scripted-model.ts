import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One scripted answer of the model: a text, a JSON value, a tool call, or a failure. */
export interface ScriptedReply {
  /** The text of the answer, split into the chunks in which it is streamed. */
  tokens?: string[];
  /** A tool call. Arguments that are a string are sent unchanged, even if the string is not JSON. */
  toolCall?: ScriptedCall;
  /** Several tool calls in one answer. */
  toolCalls?: ScriptedCall[];
  /** A value that is sent as the whole answer, as JSON. */
  json?: unknown;
  /** The HTTP status with which the request is refused. Undefined if the request is answered. */
  status?: number;
  headers?: Record<string, string>;
  /** If true, the connection is cut in the middle of a chunk. */
  cut?: boolean;
  /** The pause between two tokens, in milliseconds. */
  pauseMs?: number;
  /** If true, the connection is cut after the last token. */
  breaks?: boolean;
  /** If true, the connection stays open after the last token until the client leaves. */
  hang?: boolean;
}

/** A tool call. Arguments that are a string are sent unchanged, so that a test can send invalid JSON. */
export interface ScriptedCall {
  id: string;
  name: string;
  args: unknown;
}

export interface ScriptedModel {
  /** The value for the variable `OPENAI_BASE_URL`. */
  baseUrl: string;
  /** The requests that have arrived since the last call of `script` or `respond`. */
  requests: {
    messages: { role: string; content: unknown }[];
    stream?: boolean;
    temperature?: number;
    tools?: unknown[];
    model?: string;
    response_format?: unknown;
  }[];
  /** Sets the answers to the next requests, in order. The last answer is repeated. */
  script(...replies: ScriptedReply[]): void;
  /** Sets a function that chooses each answer from the request's messages. Use this if the order of the requests varies. */
  respond(answer: (messages: string) => ScriptedReply | Promise<ScriptedReply>): void;
  /**
   * Features that the endpoint lacks. Without `response_format`, it refuses that field with 400. Without `usage`, it reports no token
   * usage. Without `ids`, all its answers have the same id. `script` and `respond` do not change this set.
   */
  lacks: Set<"response_format" | "usage" | "ids">;
  /** Resolves when a client has closed its connection before the request was answered. */
  abandoned(): Promise<void>;
  close(): void;
}

/**
 * Starts an OpenAI-compatible endpoint on this machine that gives scripted answers. Like OpenAI's API, it refuses parameters that gpt-5
 * models do not accept.
 */
export async function startScriptedModel(): Promise<ScriptedModel> {
  let replies: ScriptedReply[] = [{ tokens: ["hello"] }];
  let abandoned = Promise.withResolvers<void>();
  let answer: ((messages: string) => ScriptedReply | Promise<ScriptedReply>) | undefined;
  const requests: ScriptedModel["requests"] = [];
  const lacks: ScriptedModel["lacks"] = new Set();

  const server = createServer(async (request, response) => {
    const body = JSON.parse(await readAll(request));
    requests.push(body);
    const refusal = refuseTemperature(body.temperature) ?? (lacks.has("response_format") ? refuseFormat(body.response_format) : undefined);
    if (refusal) return void response.writeHead(400, { "content-type": "application/json" }).end(refusal);
    response.on("close", () => {
      if (!response.writableFinished) abandoned.resolve();
    });
    const reply = (await answer?.(JSON.stringify(body.messages))) ?? (replies.length > 1 ? replies.shift() : replies[0]) ?? {};
    const spoken = reply.json === undefined ? reply : { ...reply, tokens: [JSON.stringify(reply.json)] };
    if (reply.status) response.writeHead(reply.status, reply.headers).end('{"error":{"message":"scripted refusal"}}');
    else if (reply.cut) response.writeHead(200, { "content-type": "text/event-stream" }).write('data: {"id', () => response.destroy());
    else if (body.stream) await answerInPieces(response, spoken, lacks);
    else await answerWhole(response, spoken, lacks);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    lacks,
    script(...next) {
      replies = next;
      answer = undefined;
      abandoned = Promise.withResolvers();
      requests.length = 0;
    },
    respond(next) {
      answer = next;
      requests.length = 0;
    },
    abandoned: () => abandoned.promise,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Returns OpenAI's error for a gpt-5 model with a temperature other than 1. These models accept only 1, which is their default. */
function refuseTemperature(temperature: unknown): string | undefined {
  if (temperature === undefined || temperature === 1) return undefined;
  const message = `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`;
  return JSON.stringify({ error: { message, type: "invalid_request_error", param: "temperature", code: "unsupported_value" } });
}

/** Returns the error with which DeepSeek and other endpoints refuse a request with a JSON schema. */
function refuseFormat(format: unknown): string | undefined {
  if (format === undefined) return undefined;
  return JSON.stringify({ error: { message: "This response_format type is unavailable now", type: "invalid_request_error" } });
}

async function answerInPieces(
  response: ServerResponse,
  { tokens = [], toolCall, toolCalls = toolCall ? [toolCall] : [], pauseMs = 0, breaks, hang }: ScriptedReply,
  lacks: ScriptedModel["lacks"],
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const id = idFor(lacks);
  const send = (delta: object, finish: string | null = null) => {
    const chunk = {
      id,
      object: "chat.completion.chunk",
      created: 1,
      model: "scripted",
      choices: [{ index: 0, delta, finish_reason: finish }],
    };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  send({ role: "assistant", content: "" });
  for (const token of tokens) {
    if (pauseMs > 0) await sleep(pauseMs);
    send({ content: token });
  }
  if (toolCalls.length > 0) send({ tool_calls: toolCalls.map((call, index) => ({ index, ...asWire(call) })) });
  if (breaks) return void setTimeout(() => response.destroy(), 50); // after this pause, everything that was written has been sent
  if (hang) return;
  send({}, toolCalls.length > 0 ? "tool_calls" : "stop");
  const usage = { prompt_tokens: 1, completion_tokens: tokens.length, total_tokens: 1 + tokens.length };
  const last = { id, object: "chat.completion.chunk", created: 1, model: "scripted", choices: [], usage };
  if (!lacks.has("usage")) response.write(`data: ${JSON.stringify(last)}\n\n`);
  response.end("data: [DONE]\n\n");
}

async function answerWhole(
  response: ServerResponse,
  { tokens = [], toolCall, toolCalls = toolCall ? [toolCall] : [], pauseMs = 0, hang }: ScriptedReply,
  lacks: ScriptedModel["lacks"],
): Promise<void> {
  if (hang) return;
  await sleep(pauseMs * tokens.length);
  const calls = toolCalls.map(asWire);
  const message = { role: "assistant", content: tokens.join(""), ...(calls.length > 0 && { tool_calls: calls }) };
  const usage = { prompt_tokens: 1, completion_tokens: tokens.length, total_tokens: 1 + tokens.length };
  response.setHeader("content-type", "application/json");
  const id = idFor(lacks);
  response.end(
    JSON.stringify({
      id,
      object: "chat.completion",
      created: 1,
      model: "scripted",
      choices: [{ index: 0, message, finish_reason: calls.length > 0 ? "tool_calls" : "stop" }],
      ...(!lacks.has("usage") && { usage }),
    }),
  );
}

const idFor = (lacks: ScriptedModel["lacks"]) => (lacks.has("ids") ? "chatcmpl-1" : `chatcmpl-${randomUUID()}`);

const asWire = ({ id, name, args }: ScriptedCall) => ({
  id,
  type: "function",
  function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
});

async function readAll(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}
