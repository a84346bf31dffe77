import { setTimeout as sleep } from "node:timers/promises";
import { type AIMessage, AIMessageChunk, type BaseMessageLike } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

/** The longest answer. A longer one is runaway output. */
const longestAnswer = 200_000;
const longestWaitMs = 20_000;
/** How much of a bad answer is shown to the model again. */
const longestQuote = 4_000;

export interface Usage {
  inputTokens: number;
  outputTokens: number;
  /** The model that answered, as its response names it. */
  answered?: string;
}

export interface Question<Schema extends z.ZodType> {
  model: string;
  temperature?: number;
  messages: BaseMessageLike[];
  /** The schema of the answer. */
  answer: { name: string; schema: Schema };
  /** How many retries follow a bad answer. */
  retries: number;
  /** Aborts the retries and the current request. */
  signal: AbortSignal;
}

export interface Answer<Result> {
  result: Result;
  attempts: number;
  usage: Usage;
}

/** Thrown when no valid answer came. It carries the usage, which still has to be paid. */
export class NoAnswer extends Error {
  override name = "NoAnswerError";
  readonly attempts: number;
  readonly usage: Usage;

  constructor(message: string, attempts: number, usage: Usage) {
    super(message);
    this.attempts = attempts;
    this.usage = usage;
  }
}

/** Asks a model until its answer fits the schema. Each retry tells the model what was wrong with the previous answer. */
export async function askModel<Schema extends z.ZodType>(
  { model, temperature, messages, answer, retries, signal }: Question<Schema>,
  config: LangGraphRunnableConfig,
): Promise<Answer<z.infer<Schema>>> {
  // Streamed, because the client library drops a whole answer that it cannot parse. The retry needs that text.
  const chat = new ChatOpenAI({ model, temperature, maxRetries: 0 }).withConfig({
    response_format: asResponseFormat(answer),
  });
  const tags = [...(config.tags ?? []), "nostream"]; // followers have no use for pieces of JSON
  const usage: Usage = { inputTokens: 0, outputTokens: 0 };
  let conversation = messages;
  let problem = "";
  for (let attempt = 1; attempt <= retries + 1; attempt++) {
    signal.throwIfAborted();
    try {
      const reply = await gather(await chat.stream(conversation, { ...config, signal, tags }));
      addUsage(usage, reply);
      const parsed = parseAnswer(reply, answer.schema);
      if ("result" in parsed) return { result: parsed.result, attempts: attempt, usage };
      problem = parsed.problem;
      conversation = [
        ...messages,
        { role: "assistant", content: reply.text.slice(0, longestQuote) },
        { role: "user", content: `That answer cannot be used: ${problem} Answer again, with JSON of the given schema only.` },
      ];
    } catch (error) {
      signal.throwIfAborted();
      problem = describe(error);
      if (!isWorthAnotherTry(error)) throw new NoAnswer(problem, attempt, usage);
      await sleep(waitBefore(error, attempt), undefined, { signal });
    }
  }
  throw new NoAnswer(problem, retries + 1, usage);
}

/** Assembles the answer from the stream. It stops reading when the answer is too long. */
async function gather(pieces: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let reply = new AIMessageChunk("");
  let length = 0;
  for await (const piece of pieces) {
    reply = reply.concat(piece);
    length += piece.text.length;
    if (length > longestAnswer) break;
  }
  return reply;
}

function asResponseFormat({ name, schema }: { name: string; schema: z.ZodType }) {
  return { type: "json_schema" as const, json_schema: { name, schema: z.toJSONSchema(schema, { io: "input" }) } };
}

function parseAnswer<Schema extends z.ZodType>(reply: AIMessage, schema: Schema): { result: z.infer<Schema> } | { problem: string } {
  const { text } = reply;
  if (text.length > longestAnswer) return { problem: `It is longer than ${longestAnswer} characters.` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problem: `It is not JSON: ${(error as Error).message}.` };
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? { result: parsed.data } : { problem: `It does not fit the schema: ${z.prettifyError(parsed.error)}.` };
}

function addUsage(usage: Usage, reply: AIMessage): void {
  usage.inputTokens += reply.usage_metadata?.input_tokens ?? 0;
  usage.outputTokens += reply.usage_metadata?.output_tokens ?? 0;
  const answered = answererOf(reply);
  if (answered) usage.answered = answered;
}

export function answererOf({ response_metadata: metadata }: AIMessage): string | undefined {
  return typeof metadata.model_name === "string" ? metadata.model_name : undefined;
}

/** Tells whether a retry may help. A bad request stays bad, while a busy server or a broken connection may recover. */
function isWorthAnotherTry(error: unknown): boolean {
  const { status } = Object(error);
  return typeof status !== "number" || status === 408 || status === 409 || status === 429 || status >= 500;
}

/** Returns the milliseconds to wait: as long as the server asks for, else a little longer with each retry. */
function waitBefore(error: unknown, attempt: number): number {
  const asked = Number(Object(error).headers?.get?.("retry-after"));
  return Math.min(asked > 0 ? asked * 1000 : 100 * 2 ** attempt, longestWaitMs);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
