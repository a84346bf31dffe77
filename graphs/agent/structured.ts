import { toJsonSchema } from "@langchain/core/utils/json_schema";
import { z } from "zod";

/** The schema of a structured answer. Endpoints require a name for it. */
export interface AnswerSchema<Schema extends z.ZodType = z.ZodType> {
  name: string;
  schema: Schema;
}

export const jsonSchemaOf = (schema: z.ZodType): object =>
  "_zod" in schema ? z.toJSONSchema(schema, { io: "input" }) : toJsonSchema(schema);

/** Returns the request option `response_format`, which makes an OpenAI-compatible endpoint answer in the form of a schema. */
export function asResponseFormat({ name, schema }: AnswerSchema) {
  return { type: "json_schema" as const, json_schema: { name: name.replace(/\W+/g, "_").slice(0, 64), schema: jsonSchemaOf(schema) } };
}

/** Returns a text that asks for an answer of this schema. The prompt gets this text if the endpoint does not support `response_format`. */
export const asInstruction = ({ schema }: AnswerSchema): string =>
  `Answer with one JSON value and nothing else. It must fit this JSON schema:\n${JSON.stringify(jsonSchemaOf(schema))}`;

/**
 * Reads the JSON in a model's answer and validates it. Returns the result, or a sentence about the problem. The JSON may be inside a code
 * fence, inside `<result>` tags, or between other words.
 */
export function readAnswer(text: string, { schema }: AnswerSchema): { result: unknown } | { problem: string } {
  let problem = "";
  for (const candidate of candidates(text)) {
    let json: unknown;
    try {
      json = JSON.parse(candidate);
    } catch (error) {
      problem ||= `It is not JSON: ${(error as Error).message}.`;
      continue;
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return { result: parsed.data };
    return { problem: `It does not fit the schema: ${z.prettifyError(parsed.error)}.` };
  }
  return { problem };
}

/** Yields the parts of a text that may be the JSON answer. The most likely part comes first. */
function* candidates(text: string): Generator<string> {
  yield text;
  const tagged = /<result>([\s\S]*?)<\/result>/.exec(text)?.[1];
  if (tagged !== undefined) yield* candidates(tagged.trim());
  for (const [, fenced = ""] of text.matchAll(/```(?:json)?[ \t]*\n([\s\S]*?)```/g)) yield fenced;
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf("]"), text.lastIndexOf("}"));
  if (start > 0 && end > start) yield text.slice(start, end + 1);
}
