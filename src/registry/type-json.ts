import type * as TypeScript from "typescript-5";

export type JsonSchema = Record<string, unknown>;

export interface SchemaContext {
  ts: typeof TypeScript;
  checker: TypeScript.TypeChecker;
}

type Type = TypeScript.Type;

/** A type that lies deeper may be anything: what a caller fills in is near the top. */
const deepest = 8;

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
/** As LangGraph marks them in schemas from zod; Studio draws a chat by it. */
const messages: JsonSchema = { type: "array", items: message, langgraph_type: "messages" };

/** Returns the schema of a state definition, whose fields are channels; undefined where no fields are known. */
export function definitionSchema(context: SchemaContext, type: Type | undefined, side: "ValueType" | "UpdateType"): JsonSchema | undefined {
  const { ts, checker } = context;
  const definition = type && checker.getNonNullableType(type);
  const fields = definition && !(definition.flags & ts.TypeFlags.Any) ? definition.getProperties() : [];
  const channels = fields.flatMap((field): [string, TypeScript.Symbol][] => {
    const declared = checker.getTypeOfSymbol(field);
    const channel = declared.getCallSignatures()[0]?.getReturnType() ?? declared;
    const held = channel.getProperty(side);
    return held ? [[field.name, held]] : [];
  });
  if (channels.length === 0) return undefined;
  const properties = channels.map(([name, held]) => [name, schemaOf(context, checker.getTypeOfSymbol(held), 1, [])]);
  return { type: "object", properties: Object.fromEntries(properties) };
}

/** Returns the schema of a state. None of its fields is required: an input may leave each to the state. */
export function typeSchema(context: SchemaContext, type: Type): JsonSchema {
  const { required, ...schema } = schemaOf(context, type, 0, []);
  return schema;
}

function schemaOf(context: SchemaContext, type: Type, depth: number, above: Type[]): JsonSchema {
  const { ts, checker } = context;
  const { TypeFlags } = ts;
  if (depth > deepest || above.includes(type) || type.flags & (TypeFlags.Any | TypeFlags.Unknown)) return {};
  if (type.isUnion()) return unionSchema(context, type, depth, above);
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
  if (type.flags & TypeFlags.BooleanLiteral) return { const: checker.typeToString(type) === "true" };
  if (type.flags & TypeFlags.StringLike) return { type: "string" };
  if (type.flags & TypeFlags.NumberLike) return { type: "number" };
  if (type.flags & TypeFlags.BooleanLike) return { type: "boolean" };
  if (type.flags & TypeFlags.Null) return { type: "null" };
  return type.flags & (TypeFlags.Object | TypeFlags.Intersection) ? objectSchema(context, type, depth, above) : {};
}

function unionSchema(context: SchemaContext, union: TypeScript.UnionType, depth: number, above: Type[]): JsonSchema {
  const { ts, checker } = context;
  const isSaid = (type: Type) => !(type.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) && !type.getProperty("__overwrite__");
  const members = union.types.filter(isSaid);
  if (members.some((type) => checker.isArrayType(type) && mentionsMessage(elementOf(context, type)))) return messages;
  if (members.some((type) => isMessage(type))) return message;
  const schemas = dedupe(members.map((type) => schemaOf(context, type, depth, above)));
  const values = schemas.map((schema) => schema.const);
  if (schemas.length === 2 && values.includes(true) && values.includes(false)) return { type: "boolean" };
  const isEnum = schemas.length > 1 && schemas.every((schema) => "const" in schema);
  if (isEnum) return { enum: values };
  return schemas.length === 1 ? (schemas[0] ?? {}) : withBoolean(schemas);
}

/** TypeScript takes a boolean among others apart. */
function withBoolean(schemas: JsonSchema[]): JsonSchema {
  const isTruth = ({ const: value }: JsonSchema) => typeof value === "boolean";
  const others = schemas.filter((schema) => !isTruth(schema));
  return { anyOf: others.length === schemas.length - 2 ? [...others, { type: "boolean" }] : schemas };
}

function dedupe(schemas: JsonSchema[]): JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
}

const named: Record<string, JsonSchema> = { Date: { type: "string", format: "date-time" } };
/** Types that JSON lacks, or that the serializer writes in its own way. */
const opaque = new Set(["Uint8Array", "Buffer", "Map", "Set", "RegExp", "Promise", "AbortSignal"]);

function objectSchema(context: SchemaContext, type: Type, depth: number, above: Type[]): JsonSchema {
  const { checker } = context;
  const name = type.getSymbol()?.name ?? "";
  const inside = [...above, type];
  if (isMessage(type)) return message;
  if (name in named) return named[name] ?? {};
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

/** LangChain's messages are classes with a great many members, of which a caller gives four. */
const isMessage = (type: Type) => type.getProperty("lc_namespace") !== undefined && type.getProperty("content") !== undefined;

function mentionsMessage(type: Type | undefined): boolean {
  return type !== undefined && (type.isUnion() ? type.types : [type]).some(isMessage);
}
