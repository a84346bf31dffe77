import { hash } from "node:crypto";
import { fillSchema } from "./fill.ts";
import { type Prompt, readPrompt } from "./prompt.ts";
import type { ChatRequest, Tool } from "./request.ts";
import { expressionIn, tokensOf, wordsOf } from "./words.ts";

/**
 * An answer of the rehearsal model, which replaces a real model in tests: either a text, split into streamed chunks, or a list of tool
 * calls.
 */
export interface Answer {
  tokens: string[];
  toolCalls: ToolCall[];
  finish: "stop" | "length" | "tool_calls";
}

export interface ToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

/** Returns the model's answer to a request. The same request always gets the same answer. */
export function answer(request: ChatRequest, choice: number): Answer {
  const prompt = readPrompt(request);
  const call = callFor(request, prompt);
  if (!call) return cut(request, write(request, prompt));
  const id = `call_${hash("sha256", JSON.stringify([request.messages, choice])).slice(0, 20)}`;
  return { tokens: [], toolCalls: [{ id, type: "function", function: call }], finish: "tool_calls" };
}

/**
 * Returns the tool call of the answer, or undefined if the answer is a text. A user message leads to only one tool call, unless the request
 * requires calls.
 */
function callFor({ tools, tool_choice }: ChatRequest, prompt: Prompt): { name: string; arguments: string } | undefined {
  const choice = tool_choice ?? "auto";
  if (choice === "none" || (choice === "auto" && prompt.results.length > 0)) return;
  const all = (tools ?? []).map((tool) => tool.function);
  const offered = typeof choice === "string" ? all : all.filter(({ name }) => name === choice.function.name);
  const unused = offered.filter(({ name }) => prompt.results.every(({ tool }) => tool !== name));
  const ranked = (unused.length > 0 ? unused : offered).map((tool) => ({ ...tool, score: affinity(tool, prompt) }));
  const [best] = ranked.sort((one, other) => other.score - one.score);
  if (!best || (choice === "auto" && best.score === 0)) return;
  return { name: best.name, arguments: JSON.stringify(fillSchema(best.parameters ?? { type: "object" }, prompt, true)) };
}

/**
 * Returns how well a tool matches the task, as a number. Usually it is the number of words that the tool's name and description share with
 * the task. For an arithmetic task, a tool that takes an expression matches best.
 */
function affinity({ name, description, parameters }: Tool, { task }: Prompt): number {
  if (expressionIn(task) && "expression" in Object(parameters?.properties)) return 1_000;
  const words = new Set(wordsOf(task));
  return new Set(wordsOf(`${name} ${description ?? ""}`).filter((word) => words.has(word))).size;
}

function write({ response_format: format }: ChatRequest, prompt: Prompt): string {
  const schema = format?.type === "json_schema" ? format.json_schema.schema : undefined;
  if (format && format.type !== "text") return JSON.stringify(fillSchema(schema ?? { required: ["answer"] }, prompt));
  const results = prompt.results.map(({ tool, content }) => ` The tool ${tool} returned: ${content}`);
  return `This is a rehearsal answer to "${prompt.task}".${results.join("")}`;
}

function cut({ stop, max_tokens, max_completion_tokens }: ChatRequest, text: string): Answer {
  const ends = [stop || []].flat().map((word) => text.indexOf(word));
  const tokens = tokensOf(text.slice(0, Math.min(text.length, ...ends.filter((at) => at >= 0))));
  const most = max_completion_tokens ?? max_tokens ?? tokens.length;
  return { tokens: tokens.slice(0, most), toolCalls: [], finish: tokens.length > most ? "length" : "stop" };
}
