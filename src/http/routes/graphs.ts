import type { RunnableConfig } from "@langchain/core/runnables";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type Assistant, getAssistant, toAssistantId } from "../../assistants/assistants.ts";
import { authKeys, isReservedKey } from "../../auth/user.ts";
import { ServiceError } from "../../errors.ts";
import type { GraphSchemas } from "../../registry/graph-schemas.ts";
import type { AnyGraph } from "../../registry/registry.ts";
import { access } from "../admission/access.ts";
import type { ApiDeps } from "../api-deps.ts";
import type { RequestOf } from "../route.ts";
import { AssistantParams, Flag, Text, Whole } from "../schemas.ts";

const config = access("assistants:read");
const Xray = z.union([Flag, Whole(0, 100)]).optional();

const Recurse = z.object({ recurse: Flag.optional() });

const drawingSchema = { params: AssistantParams, querystring: z.object({ xray: Xray }) };
const schemasSchema = { params: AssistantParams };
const subgraphsSchema = { params: AssistantParams, querystring: Recurse };
const subgraphSchema = { params: AssistantParams.extend({ namespace: Text }), querystring: Recurse };

/** Describes an assistant's graph: its drawing, its schemas and its subgraphs. */
export const graphRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, deps) => {
  app.get("/assistants/:assistantId/graph", { schema: drawingSchema, config }, (request, reply) => draw(deps, request, reply));
  app.get("/assistants/:assistantId/schemas", { schema: schemasSchema, config }, async (request, reply) => {
    const assistant = await find(deps, request, request.params.assistantId);
    return reply.send(await deps.registry.schemas(knownGraph(deps, assistant)));
  });
  app.get("/assistants/:assistantId/subgraphs", { schema: subgraphsSchema, config }, async (request, reply) => {
    const { params, query } = request;
    return reply.send(await listSubgraphs(deps, request, { ...params, ...query }));
  });
  app.get("/assistants/:assistantId/subgraphs/:namespace", { schema: subgraphSchema, config }, async (request, reply) => {
    const { params, query } = request;
    return reply.send(await listSubgraphs(deps, request, { ...params, ...query }));
  });
};

async function draw(deps: ApiDeps, request: RequestOf<typeof drawingSchema>, reply: FastifyReply) {
  const graph = await open(deps, request, await find(deps, request, request.params.assistantId));
  const drawing = await graph.getGraphAsync({ xray: request.query.xray ?? false } as RunnableConfig);
  return reply.send(drawing.toJSON());
}

interface Subgraphs {
  assistantId: string;
  /** The namespace of the requested subgraph. Undefined for all subgraphs of the graph. */
  namespace?: string;
  recurse?: boolean | undefined;
}

/** Returns the schemas of an assistant's subgraphs, keyed by the subgraphs' names. */
async function listSubgraphs(deps: ApiDeps, request: FastifyRequest, { assistantId, namespace, recurse = false }: Subgraphs) {
  const assistant = await find(deps, request, assistantId);
  const graph = await open(deps, request, assistant);
  const subgraphs: Record<string, unknown> = {};
  for await (const [name, subgraph] of graph.getSubgraphsAsync(namespace, recurse)) {
    subgraphs[name] = underBothNames(await deps.registry.subgraphSchemas(assistant.graph_id, name, subgraph));
  }
  return subgraphs;
}

async function find({ pool }: ApiDeps, request: FastifyRequest, assistantId: string): Promise<Assistant> {
  const { scope } = await request.access("assistants:read", { assistant_id: toAssistantId(assistantId) });
  return getAssistant(pool, scope, assistantId);
}

/** Opens an assistant's graph for this caller. The graph may depend on the caller and on the assistant's configuration. */
async function open(deps: ApiDeps, { user }: FastifyRequest, assistant: Assistant): Promise<AnyGraph> {
  const { config, context } = assistant;
  const own = Object.entries(config.configurable ?? {}).filter(([key]) => !isReservedKey(key));
  const configurable = { ...Object.fromEntries(own), ...authKeys(user) };
  return deps.registry.open(knownGraph(deps, assistant), { config: { ...config, configurable, context } });
}

function knownGraph({ registry }: ApiDeps, { graph_id: graphId }: Assistant): string {
  if (!registry.has(graphId)) throw new ServiceError("not_found", `Graph "${graphId}" is not among the graphs of this server.`);
  return graphId;
}

/**
 * Returns each schema under two names, such as `input_schema` and `input`. The official OpenAPI document has the names that end in
 * `_schema`. The official dev server responds with the short names.
 */
function underBothNames(schemas: GraphSchemas) {
  const { state_schema: state, input_schema: input, output_schema: output, config_schema: config } = schemas;
  return { ...schemas, state, input, output, config };
}
