import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { type AIMessage, AIMessageChunk, SystemMessage } from "@langchain/core/messages";
import { raceWithSignal } from "@langchain/core/runnables";
import type { Attempts, ModelCall } from "./call-model.ts";
import { withOwnIds } from "./own-ids.ts";
import { asInstruction, asResponseFormat } from "./structured.ts";
import { keepBrokenCalls } from "./tool-calls.ts";

/** The size limit of a structured answer, in characters. A longer answer means that the model never stops writing. */
export const longestAnswer = 200_000;

/** The error of a request that took too long. */
export class TimedOut extends Error {}

/** Sends one request to the model and returns its message. Throws `TimedOut` if the answer does not arrive within the call's time limit. */
export async function request(
  { model, system, tools = [], answer, timeoutSeconds, quiet, signal, callbacks }: ModelCall,
  { conversation, isNative }: Attempts,
): Promise<AIMessage> {
  const deadline = AbortSignal.timeout(Math.ceil(timeoutSeconds * 1000));
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const speaker = withOwnIds(tools.length > 0 && model.bindTools ? model.bindTools(tools) : model);
  const inWords = answer && !isNative ? [system, asInstruction(answer)].filter(Boolean).join("\n\n") : system;
  const prompt = inWords ? [new SystemMessage(inWords), ...conversation] : conversation;
  const options = {
    signal: both,
    ...(quiet && { tags: ["nostream"] }),
    ...(callbacks && { callbacks }),
    ...(answer && isNative && { response_format: asResponseFormat(answer) }),
  };
  try {
    const message = await raceWithSignal(answer ? gather(await speaker.stream(prompt, options)) : speaker.invoke(prompt, options), both);
    both.throwIfAborted(); // ChatOpenAI treats an aborted stream as a finished one
    return keepBrokenCalls(message as AIMessage);
  } catch (error) {
    if (deadline.aborted && !signal?.aborted) throw new TimedOut(`No answer within ${timeoutSeconds} s.`);
    throw error;
  }
}

/**
 * Joins the chunks of a streamed answer. Structured answers are streamed, because ChatOpenAI drops an unstreamed answer that is not JSON.
 * Stops reading when the answer is too long.
 */
async function gather(pieces: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk> {
  let reply: AIMessageChunk | undefined;
  let length = 0;
  for await (const piece of pieces) {
    reply = reply ? reply.concat(piece) : piece;
    length += piece.text.length;
    if (length > longestAnswer) break;
  }
  return reply ?? new AIMessageChunk("");
}

/**
 * Tells whether the model uses OpenAI's client, which accepts `response_format`. Other providers' clients name this option differently or
 * lack it.
 */
export const isOpenAi = (model: BaseChatModel) => model._llmType() === "openai";
