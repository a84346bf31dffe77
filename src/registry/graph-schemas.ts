import { getConfigTypeSchema, getInputTypeSchema, getOutputTypeSchema, getStateTypeSchema } from "@langchain/langgraph/zod/schema";

export type JsonSchema = Record<string, unknown>;

/** The schemas of a graph that were derived from its TypeScript types. */
export interface TypeSchemas {
  state: JsonSchema;
  input: JsonSchema;
  output: JsonSchema;
  config: JsonSchema;
}

/** A graph's schemas in the form of the response of /assistants/:id/schemas. */
export interface GraphSchemas {
  graph_id: string;
  input_schema: JsonSchema;
  output_schema: JsonSchema;
  state_schema: JsonSchema;
  config_schema: JsonSchema;
  context_schema: JsonSchema;
}

/** Returns the schemas that the graph itself declares. All of them are empty if the graph uses neither zod nor StateSchema. */
export function describeSchemas(graphId: string, graph: unknown): GraphSchemas {
  const config = orEmpty(() => getConfigTypeSchema(graph));
  return {
    graph_id: graphId,
    input_schema: orEmpty(() => getInputTypeSchema(graph)),
    output_schema: orEmpty(() => getOutputTypeSchema(graph)),
    state_schema: orEmpty(() => getStateTypeSchema(graph)),
    config_schema: config,
    context_schema: config,
  };
}

/** A part of a graph's interface whose schema can be created alone. This is faster than to create all schemas of the graph. */
export type DescribedPart = "input" | "state";

/** Returns the schema that the graph itself declares for a part. It is empty if the graph uses neither zod nor StateSchema. */
export function describeSchema(graph: unknown, part: DescribedPart): JsonSchema {
  return orEmpty(() => (part === "input" ? getInputTypeSchema(graph) : getStateTypeSchema(graph)));
}

/** Returns the result of `read`. If JSON Schema cannot express one of the zod types, returns the empty schema, which accepts anything. */
function orEmpty(read: () => unknown): JsonSchema {
  try {
    return (read() as JsonSchema | undefined) ?? {};
  } catch {
    return {};
  }
}

/** Tells whether these schemas describe the graph's state. */
export const isDescribed = ({ state_schema }: GraphSchemas) => Object.keys(state_schema).length > 0;

/**
 * If the graph itself declares no schema of its state, returns the schemas that were derived from its TypeScript types. The config schema
 * is kept if the graph declares one.
 */
export function fillFromTypes(schemas: GraphSchemas, types: TypeSchemas | undefined): GraphSchemas {
  if (!types || isDescribed(schemas)) return schemas;
  const config = Object.keys(schemas.config_schema).length > 0 ? schemas.config_schema : types.config;
  return {
    graph_id: schemas.graph_id,
    input_schema: types.input,
    output_schema: types.output,
    state_schema: types.state,
    config_schema: config,
    context_schema: config,
  };
}
