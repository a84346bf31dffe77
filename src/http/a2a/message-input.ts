import type { Message } from "@a2a-js/sdk";
import { ContentTypeNotSupportedError, RequestMalformedError } from "@a2a-js/sdk/errors";
import type { Registry } from "../../registry/registry.ts";
import { type SortedParts, sortParts } from "./parts.ts";

/**
 * Returns the input of the run that a message starts. The texts and files of the message become one entry of the input's list `messages`.
 * Each data part must be an object, and its keys become keys of the input.
 */
export async function inputOf(registry: Registry, graphId: string, { parts, messageId }: Message): Promise<Record<string, unknown>> {
  const { words, data } = sortParts(parts);
  const odd = data.find((value) => typeof value !== "object" || value === null || Array.isArray(value));
  if (odd !== undefined)
    throw new RequestMalformedError("message.parts: a data part must hold an object, whose keys are the agent's input.");
  const input: Record<string, unknown> = Object.assign(Object.create(null), ...(data as object[]));
  if (words === undefined) return { ...input };
  const keys = await inputKeys(registry, graphId);
  if (keys && !keys.includes("messages")) {
    throw new ContentTypeNotSupportedError(
      `This agent takes no text and no files. Send a data part with an object. Its keys are: ${keys.join(", ")}.`,
    );
  }
  return { ...input, messages: [{ type: "human", id: messageId, content: words }] };
}

/** Returns the keys of a graph's input. Returns undefined if this process does not know them. */
export async function inputKeys(registry: Registry, graphId: string): Promise<string[] | undefined> {
  if (!registry.has(graphId)) return undefined;
  const schemas = await registry.schemas(graphId).catch(() => undefined); // fails for a graph that needs the config of a run
  const { properties } = schemas?.input_schema ?? {};
  return properties ? Object.keys(properties) : undefined;
}

/** Returns the answer that a message gives to a question: the value of the message's data part, or else its text. */
export function answerIn({ parts }: Message): unknown {
  const { data, text, words }: SortedParts = sortParts(parts);
  if (data.length > 1) throw new RequestMalformedError("message.parts: an answer can hold one data part.");
  const [answer = words === undefined ? undefined : text] = data;
  if (answer === undefined || answer === null)
    throw new RequestMalformedError("message.parts: an answer needs a text, or data other than null.");
  return answer;
}
