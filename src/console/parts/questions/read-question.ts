import { isObject, type JsonSchema, kindOf, resolve, toSchema } from "../json-schema.ts";
import { type CallReview, type Reviews, readReviews } from "./read-reviews.ts";

/** An open question as the graph has asked it. `readQuestion` splits it into the parts that the page shows. */
export interface Asked {
  id: string;
  value: unknown;
  /** The JSON schema of the answer. Null if the graph has set none. */
  schema: unknown;
}

/** The form in which a question is answered. A question of the kind "unknown" is answered with a text or with JSON. */
export type Form =
  | { kind: "calls"; reviews: CallReview[]; answerOf: Reviews["answerOf"] }
  | { kind: "approval"; mayGiveReason: boolean }
  | { kind: "selection"; options: unknown[] }
  | { kind: "fields"; schema: JsonSchema }
  | { kind: "unknown"; isText: boolean };

/** A question, split into the parts that the page shows. */
export interface Question {
  id: string;
  prompt: string;
  /** The prompt in one line. For a question without a prompt, the beginning of its value as JSON. */
  summary: string;
  /** The details of the question. Undefined if the question has only a prompt. */
  details: unknown;
  form: Form;
}

/** Converts a question for the page. A question comes from a graph, so its value may have any form. */
export function readQuestion({ id, value, schema }: Asked): Question {
  const reviews = readReviews(value);
  if (reviews) {
    const prompt = promptOf(value) ?? `May ${reviews.reviews.map(({ name }) => name).join(", ")} be used?`;
    return { id, prompt, summary: lineOf(prompt), details: undefined, form: { kind: "calls", ...reviews } };
  }
  const prompt = promptOf(value);
  return {
    id,
    prompt: prompt ?? "A question without a text",
    summary: lineOf(prompt ?? JSON.stringify(value) ?? "A question without a text"),
    details: detailsOf(value),
    form: formOf(value, toSchema(schema)),
  };
}

const lineOf = (text: string) => text.slice(0, 300).replaceAll(/\s+/g, " ");

const promptKeys = ["prompt", "question", "message", "description", "title", "text"];
/**
 * The fields of a question's value that do not belong in the list of further details. The page shows some of them elsewhere, such as the
 * options, and others not at all.
 */
const askingKeys = new Set(["type", "options", "timeoutSeconds", "details"]);

function promptOf(value: unknown): string | undefined {
  if (typeof value === "string" && value.trim() !== "") return value;
  if (Array.isArray(value)) return value.length === 1 ? promptOf(value[0]) : undefined;
  if (!isObject(value)) return undefined;
  return promptKeys.map((key) => value[key]).find((text): text is string => typeof text === "string" && text.trim() !== "");
}

function detailsOf(value: unknown): unknown {
  if (typeof value === "string") return undefined;
  if (!isObject(value)) return value;
  const prompt = promptOf(value);
  const rest = Object.entries(value).filter(([key, item]) => !askingKeys.has(key) && !(promptKeys.includes(key) && item === prompt));
  const beside = Object.fromEntries(rest);
  if (value.details === undefined) return rest.length > 0 ? beside : undefined;
  return rest.length > 0 ? { details: value.details, ...beside } : value.details;
}

function formOf(value: unknown, schema: JsonSchema | undefined): Form {
  const resolved = schema && resolve(schema, schema);
  const type = isObject(value) ? value.type : undefined;
  const options = isObject(value) && Array.isArray(value.options) ? value.options : (resolved?.enum ?? []);
  if (isApproval(type, resolved)) return { kind: "approval", mayGiveReason: mayGiveReason(resolved) };
  if (options.length > 0 && (type === "selection" || resolved?.enum)) return { kind: "selection", options };
  if (schema && resolved && kindOf(resolved) !== "any") return { kind: "fields", schema };
  if (type === "input" || typeof value === "string") return { kind: "fields", schema: { type: "string" } };
  return { kind: "unknown", isText: isObject(value) && typeof value.question === "string" };
}

/** Tells whether a person can answer with the field `approved` alone, so that the buttons "Approve" and "Reject" are enough. */
function isApproval(type: unknown, schema: JsonSchema | undefined): boolean {
  if (!schema?.properties) return type === "approval" && (!schema || kindOf(schema) === "any");
  const { approved, ...others } = schema.properties;
  const mustEnter = Object.keys(others).some((name) => schema.required?.includes(name));
  return approved !== undefined && !mustEnter && Object.keys(others).every((name) => name === "reason" || type === "approval");
}

const mayGiveReason = (schema: JsonSchema | undefined) => schema?.additionalProperties !== false || "reason" in (schema.properties ?? {});
