import { createHash } from "node:crypto";
import { fillSchema } from "./fill.ts";
import type { Schema } from "./json-schema.ts";
import { readMaterial } from "./material.ts";
import type { ChatRequest, Message } from "./request.ts";
import { speak } from "./speak.ts";
import { countTokens, tokensOf } from "./tokens.ts";
import { callsFor } from "./tools.ts";

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

/** One answer of the model. */
export interface Answer {
  /** The text in the pieces in which it is streamed. */
  tokens: string[];
  toolCalls: ToolCall[];
  finish: "stop" | "length" | "tool_calls";
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** Returns the model's answer to a request. The same request always gets the same answer. */
export function answer(request: ChatRequest, choice: number): Answer {
  const { messages } = request;
  const lastUser = messages.findLastIndex(({ role }) => role === "user");
  const turn = messages.slice(lastUser + 1);
  const system = textOf(messages, ["system", "developer"]);
  const material = readMaterial(system, messages[lastUser]?.content ?? messages.at(-1)?.content ?? "");

  const calls = callsFor(request, material, turn);
  if (calls.length > 0) {
    const digest = createHash("sha256")
      .update(JSON.stringify([messages, choice]))
      .digest("hex");
    const toolCalls = calls.map((call, index) => ({
      id: `call_${digest.slice(0, 20)}${index}`,
      type: "function" as const,
      function: call,
    }));
    return { tokens: [], toolCalls, finish: "tool_calls" };
  }
  return cut(request, write(request, turn));

  function write({ response_format: format }: ChatRequest, results: Message[]): string {
    if (!format || format.type === "text") return speak(material, results);
    // A JSON answer uses the whole conversation, because the question may come before the last message.
    const whole = readMaterial(system, textOf(messages, ["user", "tool"]));
    const schema = format.type === "json_schema" ? format.json_schema.schema : undefined;
    return JSON.stringify(fillSchema((schema as Schema | undefined) ?? anyObject(whole.text), whole));
  }
}

/** Returns a schema for a JSON object without one. Its keys are those that the prompt names. */
function anyObject(text: string): Schema {
  const named =
    /\b(?:keys?|fields?|properties)\b[^\p{L}\n]*((?:["'`]?[\w-]+["'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+)?)+)/iu.exec(text)?.[1] ?? "";
  const keys = named
    .split(/[^\w-]+|\band\b/)
    .filter(Boolean)
    .slice(0, 20);
  const names = keys.length > 0 ? keys : ["answer"];
  return { type: "object", properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])), required: names };
}

const textOf = (messages: Message[], roles: string[]): string =>
  messages
    .filter(({ role }) => roles.includes(role))
    .map(({ content }) => content)
    .join("\n\n");

function cut({ stop, max_tokens, max_completion_tokens }: ChatRequest, text: string): Answer {
  const ends = [stop ?? []]
    .flat()
    .filter(Boolean)
    .map((word) => text.indexOf(word))
    .filter((at) => at >= 0);
  const tokens = tokensOf(ends.length > 0 ? text.slice(0, Math.min(...ends)) : text);
  const maxTokens = max_completion_tokens ?? max_tokens ?? Number.POSITIVE_INFINITY;
  return tokens.length > maxTokens
    ? { tokens: tokens.slice(0, maxTokens), toolCalls: [], finish: "length" }
    : { tokens, toolCalls: [], finish: "stop" };
}

/** Returns a token count that is estimated from the text. The same text always has the same count. */
export function usageOf({ messages, tools, response_format: format }: ChatRequest, answers: Answer[]): Usage {
  const promptCounts = messages.map(
    ({ content, tool_calls: calls }) => 4 + countTokens(content) + (calls ? countTokens(JSON.stringify(calls)) : 0),
  );
  const forms = [tools, format].map((form) => (form ? countTokens(JSON.stringify(form)) : 0));
  const prompt = [...promptCounts, ...forms].reduce((sum, count) => sum + count, 0);
  const completion = answers
    .map(
      ({ tokens, toolCalls }) =>
        tokens.length + (toolCalls.length > 0 ? countTokens(JSON.stringify(toolCalls.map((call) => call.function))) : 0),
    )
    .reduce((sum, count) => sum + count, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
