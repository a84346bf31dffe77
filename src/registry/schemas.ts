import { getConfigTypeSchema, getInputTypeSchema, getOutputTypeSchema, getStateTypeSchema } from "@langchain/langgraph/zod/schema";

type JsonSchema = Record<string, unknown>;

/** A graph's schemas as /assistants/:id/schemas answers them. A graph without zod or StateSchema has empty ones. */
export interface GraphSchemas {
  graph_id: string;
  input_schema: JsonSchema;
  output_schema: JsonSchema;
  state_schema: JsonSchema;
  config_schema: JsonSchema;
  context_schema: JsonSchema;
}

/** Reads the schemas off the graph itself: what the code declares is what the caller sees. */
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

/** zod has types that JSON Schema cannot express; such a graph is documented as accepting anything. */
function orEmpty(read: () => unknown): JsonSchema {
  try {
    return (read() as JsonSchema | undefined) ?? {};
  } catch {
    return {};
  }
}
