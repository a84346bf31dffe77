import type * as TypeScript from "typescript-5";

export type JsonSchema = Record<string, unknown>;

export interface SchemaContext {
  ts: typeof TypeScript;
  checker: TypeScript.TypeChecker;
}

type Type = TypeScript.Type;

/**
 * The number of levels of nested types that a schema describes. Deeper levels accept every value, because callers mostly fill in fields
 * near the top.
 */
const maxDepth = 8;

const message: JsonSchema = {
  title: "BaseMessage",
  type: "object",
  properties: {
    type: { type: "string" },
    content: { anyOf: [{ type: "string" }, { type: "array", items: { type: "object" } }] },
    id: { type: "string" },
    name: { type: "string" },
  },
};
/** The schema of a list of messages, with LangGraph's mark for such lists. Studio shows a chat for a field with this mark. */
const messages: JsonSchema = { type: "array", items: message, langgraph_type: "messages" };

/**
 * Returns the schema of a state from the type of its definition, in which each field is a channel. Returns undefined if no field has the
 * type of a channel that is known here.
 */
export function definitionSchema(context: SchemaContext, type: Type | undefined, side: "ValueType" | "UpdateType"): JsonSchema | undefined {
  const { ts, checker } = context;
  const definition = type && checker.getNonNullableType(type);
  const fields = definition && !(definition.flags & ts.TypeFlags.Any) ? definition.getProperties() : [];
  const channels = fields.flatMap((field): [string, TypeScript.Symbol][] => {
    const declared = checker.getTypeOfSymbol(field);
    const channel = declared.getCallSignatures()[0]?.getReturnType() ?? declared;
    const valueSymbol = channel.getProperty(side);
    return valueSymbol ? [[field.name, valueSymbol]] : [];
  });
  if (channels.length === 0) return undefined;
  const properties = channels.map(([name, valueSymbol]) => [name, schemaOf(context, checker.getTypeOfSymbol(valueSymbol), 1, [])]);
  return { type: "object", properties: Object.fromEntries(properties) };
}

/** Returns the schema of a state. No field is required, because an input may omit any of the fields. */
export function typeSchema(context: SchemaContext, type: Type): JsonSchema {
  const { required, ...schema } = schemaOf(context, type, 0, []);
  return schema;
}

function schemaOf(context: SchemaContext, type: Type, depth: number, ancestors: Type[]): JsonSchema {
  const { ts, checker } = context;
  const { TypeFlags } = ts;
  if (depth > maxDepth || ancestors.includes(type) || type.flags & (TypeFlags.Any | TypeFlags.Unknown)) return {};
  if (type.isUnion()) return unionSchema(context, type, depth, ancestors);
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
  if (type.flags & TypeFlags.BooleanLiteral) return { const: checker.typeToString(type) === "true" };
  if (type.flags & TypeFlags.StringLike) return { type: "string" };
  if (type.flags & TypeFlags.NumberLike) return { type: "number" };
  if (type.flags & TypeFlags.BooleanLike) return { type: "boolean" };
  if (type.flags & TypeFlags.Null) return { type: "null" };
  return type.flags & (TypeFlags.Object | TypeFlags.Intersection) ? objectSchema(context, type, depth, ancestors) : {};
}

function unionSchema(context: SchemaContext, union: TypeScript.UnionType, depth: number, ancestors: Type[]): JsonSchema {
  const { ts, checker } = context;
  const isPresent = (type: Type) => !(type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) && !type.getProperty("__overwrite__");
  const members = union.types.filter(isPresent);
  if (members.some((type) => checker.isArrayType(type) && mentionsMessage(elementOf(context, type)))) return messages;
  if (members.some((type) => isMessage(type))) return message;
  const schemas = dedupe(members.map((type) => schemaOf(context, type, depth, ancestors)));
  const values = schemas.map((schema) => schema.const);
  if (schemas.length === 2 && values.includes(true) && values.includes(false)) return { type: "boolean" };
  const isEnum = schemas.length > 1 && schemas.every((schema) => "const" in schema);
  if (isEnum) return { enum: values };
  return schemas.length === 1 ? (schemas[0] ?? {}) : withBoolean(schemas);
}

/** Merges the literals true and false in a union into `boolean`. TypeScript splits a boolean in a union into these two literals. */
function withBoolean(schemas: JsonSchema[]): JsonSchema {
  const isBooleanLiteral = ({ const: value }: JsonSchema) => typeof value === "boolean";
  const others = schemas.filter((schema) => !isBooleanLiteral(schema));
  return { anyOf: others.length === schemas.length - 2 ? [...others, { type: "boolean" }] : schemas };
}

function dedupe(schemas: JsonSchema[]): JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
}

const knownTypes: Record<string, JsonSchema> = { Date: { type: "string", format: "date-time" } };
/** The types that JSON cannot express, or that the serializer stores in a special form. The schema for them accepts any value. */
const opaque = new Set(["Uint8Array", "Buffer", "Map", "Set", "RegExp", "Promise", "AbortSignal"]);

function objectSchema(context: SchemaContext, type: Type, depth: number, ancestors: Type[]): JsonSchema {
  const { checker } = context;
  const name = type.getSymbol()?.name ?? "";
  const inside = [...ancestors, type];
  if (isMessage(type)) return message;
  if (name in knownTypes) return knownTypes[name] ?? {};
  if (opaque.has(name) || type.getCallSignatures().length > 0) return {};
  if (checker.isTupleType(type)) {
    const schemas = dedupe(argumentsOf(context, type).map((one) => schemaOf(context, one, depth + 1, inside)));
    return { type: "array", items: schemas.length === 1 ? schemas[0] : { anyOf: schemas } };
  }
  if (checker.isArrayType(type)) {
    const element = elementOf(context, type);
    if (mentionsMessage(element)) return messages;
    return { type: "array", items: element ? schemaOf(context, element, depth + 1, inside) : {} };
  }
  return recordSchema(context, type, depth, inside);
}

function recordSchema(context: SchemaContext, type: Type, depth: number, inside: Type[]): JsonSchema {
  const { ts, checker } = context;
  const fields = checker.getPropertiesOfType(type).filter(({ name, flags }) => !name.startsWith("__@") && !(flags & ts.SymbolFlags.Method));
  const properties = fields.map((field): [string, JsonSchema] => {
    const description = ts.displayPartsToString(field.getDocumentationComment(checker));
    const schema = schemaOf(context, checker.getTypeOfSymbol(field), depth + 1, inside);
    return [field.name, description ? { description, ...schema } : schema];
  });
  const required = fields.filter(({ flags }) => !(flags & ts.SymbolFlags.Optional)).map(({ name }) => name);
  const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  return {
    type: "object",
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(required.length > 0 && { required }),
    ...(index && { additionalProperties: schemaOf(context, index, depth + 1, inside) }),
  };
}

const argumentsOf = ({ checker }: SchemaContext, type: Type) => checker.getTypeArguments(type as TypeScript.TypeReference);
const elementOf = (context: SchemaContext, type: Type) => argumentsOf(context, type)[0];

/**
 * Tells whether a type is a class of LangChain messages. All message classes get one short schema, because callers set only four of their
 * many members.
 */
const isMessage = (type: Type) => type.getProperty("lc_namespace") !== undefined && type.getProperty("content") !== undefined;

function mentionsMessage(type: Type | undefined): boolean {
  return type !== undefined && (type.isUnion() ? type.types : [type]).some(isMessage);
}
