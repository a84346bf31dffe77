import type { InputRequest } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { OpenQuestion } from "../../threads/questions.ts";
import { isObject } from "./content.ts";

/**
 * The value of an interrupt that is itself an MCP request. A graph that interrupts with such a value can, for example, call the model of
 * the MCP client.
 */
const OwnRequest = z.looseObject({
  method: z.enum(["elicitation/create", "sampling/createMessage", "roots/list"]),
  params: z.record(z.string(), z.unknown()).default({}),
  /** The key of the request in the protocol. */
  key: z.string().min(1).max(200).optional(),
});

/**
 * The way in which a question is put to the client. The client gets the MCP request that the graph has written, a form, a field for one
 * value, or a field for text.
 */
type Form = "own" | "form" | "value" | "text";

/** A question as a request to the client. */
export interface ClientRequest {
  request: InputRequest;
  form: Form;
  /** The key that the graph has chosen for the request. */
  key: string | undefined;
}

/** Returns the MCP request that asks the client this question. */
export function toClientRequest({ value, responseSchema }: OpenQuestion): ClientRequest {
  const own = OwnRequest.safeParse(value).data;
  if (own) return { request: { method: own.method, params: own.params } as InputRequest, form: "own", key: own.key };
  const message = textOf(value);
  if (isObject(responseSchema) && isFlat(responseSchema)) {
    const { properties, required } = responseSchema;
    return { request: elicit(message, { properties, ...(Array.isArray(required) && { required }) }), form: "form", key: undefined };
  }
  if (isObject(responseSchema) && isPrimitive(responseSchema)) {
    return { request: elicit(message, { properties: { answer: responseSchema }, required: ["answer"] }), form: "value", key: undefined };
  }
  const hint = isObject(responseSchema) ? `\n\nAnswer with JSON that fits this schema: ${JSON.stringify(responseSchema)}` : "";
  return {
    request: elicit(message + hint, { properties: { answer: { type: "string" } }, required: ["answer"] }),
    form: "text",
    key: undefined,
  };
}

function elicit(message: string, schema: Record<string, unknown>): InputRequest {
  return {
    method: "elicitation/create",
    params: { mode: "form", message, requestedSchema: { type: "object", ...schema } },
  } as InputRequest;
}

const Response = z.looseObject({ action: z.enum(["accept", "decline", "cancel"]), content: z.record(z.string(), z.unknown()).optional() });

/** Returns the answer to a question from the client's response. Returns "declined" if the user did not want to answer. */
export function toAnswer(question: OpenQuestion, response: unknown): { answer: unknown } | "declined" | "malformed" {
  const { form } = toClientRequest(question);
  if (form === "own") return { answer: response };
  const { action, content = {} } = Response.safeParse(response).data ?? {};
  if (action === undefined) return "malformed";
  if (action !== "accept") return "declined";
  if (form === "form") return { answer: content };
  if (content.answer === undefined) return "malformed";
  return { answer: form === "text" ? readText(content.answer) : content.answer };
}

/**
 * Returns the value of an answer that was given as text. A JSON object or list is parsed, because many graphs expect an object or a list.
 */
export function readText(text: unknown): unknown {
  if (typeof text !== "string" || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const primitives = ["string", "number", "integer", "boolean"];
const isPrimitive = ({ type }: Record<string, unknown>) => typeof type === "string" && primitives.includes(type);

/**
 * Tells whether a schema is an object that contains no further objects and no lists. Forms of the protocol can only ask for such an object.
 */
function isFlat({ type, properties }: Record<string, unknown>): boolean {
  if (type !== "object" || !isObject(properties)) return false;
  return Object.values(properties).every((property) => isObject(property) && isPrimitive(property));
}

const textKeys = ["message", "question", "prompt", "text", "title", "description"];

/** Returns an interrupt's value as text for a person. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (!isObject(value)) return JSON.stringify(value) ?? "The graph asks for an answer.";
  const key = textKeys.find((one) => typeof value[one] === "string");
  const { [key ?? ""]: text, ...others } = value;
  if (key === undefined) return JSON.stringify(value, undefined, 2);
  return Object.keys(others).length === 0 ? String(text) : `${text}\n\n${JSON.stringify(others, undefined, 2)}`;
}
