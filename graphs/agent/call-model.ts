import { setTimeout as sleep } from "node:timers/promises";
import type { Callbacks } from "@langchain/core/callbacks/manager";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { describe, isFatal, mayRecover, NoAnswer, refusesFormat, waitBefore } from "./model-errors.ts";
import { isOpenAi, longestAnswer, request, TimedOut } from "./model-request.ts";
import { asText } from "./prompt.ts";
import { type AnswerSchema, readAnswer } from "./structured.ts";
import { addUsage, type Usage, usageOf } from "./usage.ts";

/** The maximum length of a model's answer, in characters. The longest answers of today's models are about half as long (128,000 tokens). */
const longestText = 1_000_000;
/** When a model is asked again, the new request quotes at most this many characters of the model's unusable answer. */
const longestQuote = 4_000;

export interface ModelCall {
  model: BaseChatModel;
  system: string;
  messages: BaseMessage[];
  tools?: StructuredToolInterface[];
  /** The schema of the answer. If it is undefined, the answer is text. */
  answer?: AnswerSchema;
  /** The time limit of each request, in seconds. */
  timeoutSeconds: number;
  /** The number of times that a failed request or an unusable answer is retried. */
  retries: number;
  /** Whether the answer is hidden from clients that stream the run's tokens. */
  quiet: boolean;
  signal?: AbortSignal;
  /** Checks an answer whose form is valid. Returns the answer, which the check may have changed, or the problem with the answer. */
  guard?: (value: unknown) => Promise<GuardedAnswer>;
  /** Checks the text that a model writes beside a tool call. Returns the text to keep. */
  guardThought?: (text: string) => Promise<string>;
  /** The callbacks of the requests. By default, they are the callbacks of the current node. */
  callbacks?: Callbacks;
}

/** The result of a guard: the answer, or the problem with it. The model reads `problem`, and everybody else reads `reason`. */
export type GuardedAnswer = { result: unknown; isChanged?: boolean } | { problem: string; reason: string; isFinal: boolean };

export interface ModelReply {
  message: AIMessage;
  /** The parsed answer. Undefined if the call has no schema or the message calls tools. */
  result?: unknown;
  attempts: number;
  usage: Usage;
}

/**
 * The state of a model call over its attempts: the messages for the next request, and the counts and token usage of the requests so far.
 */
export interface Attempts {
  conversation: BaseMessage[];
  /** Whether the schema is sent to the endpoint as `response_format`. Otherwise the schema is part of the prompt. */
  isNative: boolean;
  attempts: number;
  usage: Usage;
  problem: string;
  waitMs: number;
  /** The number of usable answers that a guard refused. They do not count as retries. */
  refused: number;
}

/** Calls a model until its answer is usable, or until no retry is left. Each retry tells the model the problem with its previous answer. */
export async function callModel(call: ModelCall): Promise<ModelReply> {
  const { messages: conversation, model, retries, signal } = call;
  const usage: Usage = { inputTokens: 0, outputTokens: 0 };
  const state: Attempts = { conversation, isNative: isOpenAi(model), attempts: 0, usage, problem: "", waitMs: 0, refused: 0 };
  for (;;) {
    signal?.throwIfAborted();
    const reply = await attempt(call, state);
    if (reply) return reply;
    if (state.attempts > retries + state.refused) throw new NoAnswer(state.problem, state);
    if (state.waitMs > 0) await sleep(state.waitMs, undefined, { signal });
  }
}

/** Makes one request and returns the reply. Returns undefined if a retry may help. Throws if a retry cannot help. */
async function attempt(call: ModelCall, state: Attempts): Promise<ModelReply | undefined> {
  const { answer, guard, messages, tools = [] } = call;
  state.attempts++;
  state.waitMs = 0;
  const message = await request(call, state).catch((error: unknown) => afterError(call, state, error));
  if (!message) return undefined;
  const { attempts, usage, conversation } = state;
  addUsage(usage, usageOf(message, conversation));
  if (hasCalls(message) && tools.length > 0) return { message: await withThought(message, call), attempts, usage };
  if (!answer && !guard) return { message: cutText(message), attempts, usage };
  const found = answer ? read(message, answer) : { result: message.text };
  if ("result" in found) {
    const guarded = guard ? await guard(found.result) : found;
    if ("result" in guarded) return { message: cutText(withAnswer(message, guarded)), result: guarded.result, attempts, usage };
    state.refused++;
    state.problem = guarded.reason;
    if (guarded.isFinal) throw new NoAnswer(guarded.reason, { ...state, isFatal: true });
    state.conversation = [...messages, ...correction(message, guarded.problem, answer)];
    return undefined;
  }
  state.problem = found.problem;
  state.conversation = [...messages, ...correction(message, found.problem, answer)];
  state.isNative = false; // the endpoint may have ignored `response_format`, so the model gets the schema in the prompt
  return undefined;
}

/** Prepares a retry after an error. Throws if a retry would not help. */
function afterError(call: ModelCall, state: Attempts, error: unknown): undefined {
  call.signal?.throwIfAborted();
  if (error instanceof TimedOut) throw new NoAnswer(error.message, { ...state, status: "timeout" });
  if (state.isNative && call.answer && refusesFormat(error)) {
    state.isNative = false;
    state.attempts--; // this request does not count as an attempt, because it is repeated with the schema in the prompt
    return;
  }
  state.problem = describe(error);
  if (!mayRecover(error, call)) throw new NoAnswer(state.problem, { ...state, isFatal: isFatal(error) });
  state.waitMs = waitBefore(error, state.attempts);
}

/**
 * Returns the message with its text cut at the limit, because every checkpoint of a conversation stores the text. A note says how much was
 * cut.
 */
function cutText(message: AIMessage): AIMessage {
  const { id, tool_calls, invalid_tool_calls, response_metadata, usage_metadata } = message;
  const { length } = message.text;
  if (length <= longestText) return message;
  const content = `${message.text.slice(0, longestText)}\n[Cut here: ${longestText} of ${length} characters are kept.]`;
  return new AIMessage({ id, content, tool_calls, invalid_tool_calls, response_metadata, usage_metadata });
}

/** Returns a message that calls tools, after guards have checked the text beside the tool calls. */
async function withThought(message: AIMessage, { guardThought }: ModelCall): Promise<AIMessage> {
  const content = message.text && guardThought ? await guardThought(message.text) : message.text;
  if (content === message.text) return cutText(message);
  const { id, tool_calls, invalid_tool_calls, response_metadata, usage_metadata } = message;
  return cutText(new AIMessage({ id, content, tool_calls, invalid_tool_calls, response_metadata, usage_metadata }));
}

/** Returns the message with the answer that a guard has changed. */
function withAnswer(message: AIMessage, { result, isChanged }: { result: unknown; isChanged?: boolean }): AIMessage {
  if (!isChanged) return message;
  const { id, response_metadata, usage_metadata } = message;
  return new AIMessage({ id, content: asText(result), response_metadata, usage_metadata });
}

function read(message: AIMessage, answer: AnswerSchema) {
  if (message.text.length > longestAnswer) return { problem: `It is longer than ${longestAnswer} characters.` };
  return readAnswer(message.text, answer);
}

/** Returns the messages that show the model its unusable answer and the problem with it. The next request includes them. */
function correction(message: AIMessage, problem: string, answer?: AnswerSchema): BaseMessage[] {
  const advice = `That answer cannot be used: ${problem} Answer again${answer ? ", with JSON of the given schema only" : ""}.`;
  return [new AIMessage(message.text.slice(0, longestQuote) || "(nothing)"), new HumanMessage(advice)];
}

const hasCalls = ({ tool_calls: calls = [] }: AIMessage) => calls.length > 0;
