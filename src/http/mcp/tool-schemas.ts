import type { Tool } from "@modelcontextprotocol/server";
import { isObject } from "./content.ts";

type JsonSchema = Record<string, unknown>;

/**
 * The JSON schema of the messages that a tool takes. LangGraph accepts more forms of messages, but its own schema tells a model nothing
 * useful.
 */
const messagesTaken = {
  type: "array",
  items: {
    type: "object",
    properties: { role: { type: "string", enum: ["user", "assistant", "system"] }, content: { type: "string" } },
    required: ["role", "content"],
  },
};

/** Returns a graph's input schema as the schema of a tool's arguments. Tools take objects, so a graph without a schema takes any object. */
export function inputSchemaOf(schema: JsonSchema | undefined): Tool["inputSchema"] {
  return isObjectSchema(schema) ? { ...withFields(schema, messagesTaken), type: "object" } : { type: "object" };
}

/**
 * Returns a graph's output schema as the schema of a tool's structured result. Returns undefined if the graph has none. No field is
 * required, because a run can end before its graph has written every field, and clients refuse results that lack a required field.
 */
export function outputSchemaOf(schema: JsonSchema | undefined): Tool["outputSchema"] {
  if (!isObjectSchema(schema) || Object.keys(schema).length === 0) return undefined;
  const { required, additionalProperties, ...others } = withFields(schema, { type: "array" });
  return { ...others, type: "object" };
}

/** Tells whether a value of this schema can be an object. */
const isObjectSchema = (schema: JsonSchema | undefined): schema is JsonSchema =>
  schema !== undefined && (schema.type === undefined || schema.type === "object");

/**
 * Returns an object's schema with two changes to its fields. A field for LangGraph messages gets the schema `messages`. The key `$schema`
 * is removed from each field, because it is valid only at the top of a schema.
 */
function withFields(schema: JsonSchema, messages: JsonSchema): JsonSchema {
  if (!isObject(schema.properties)) return schema;
  const fields = Object.entries(schema.properties).map(([name, field]) => [name, toField(field, messages)]);
  return { ...schema, properties: Object.fromEntries(fields) };
}

function toField(field: unknown, messages: JsonSchema): unknown {
  if (!isObject(field)) return field;
  const { $schema, langgraph_type: type, ...others } = field;
  return type === "messages" ? { ...others, ...messages } : others;
}
