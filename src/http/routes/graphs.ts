import type { RunnableConfig } from "@langchain/core/runnables";
import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type Assistant, getAssistant, toAssistantId } from "../../assistants/assistants.ts";
import { authKeys, isReservedKey } from "../../auth/user.ts";
import { ServiceError } from "../../errors.ts";
import type { AnyGraph } from "../../registry/registry.ts";
import type { GraphSchemas } from "../../registry/schemas.ts";
import { access } from "../access.ts";
import type { ApiDeps } from "../api-deps.ts";
import { Flag, Text, Whole } from "../schemas.ts";

const OneAssistant = z.object({ assistantId: Text });
const config = access("assistants:read");
const Xray = z.union([Flag, Whole(0, 100)]).optional();

/** The dev server names a subgraph's schemas without `_schema`, the official document with it. Clients of both find theirs. */
function underBothNames(schemas: GraphSchemas) {
  const { state_schema: state, input_schema: input, output_schema: output, config_schema: config } = schemas;
  return { ...schemas, state, input, output, config };
}

/** What an assistant's graph looks like: its drawing, its schemas, its subgraphs. */
export const graphRoutes: FastifyPluginAsyncZod<ApiDeps> = async (app, { pool, registry }) => {
  const knownGraph = ({ graph_id: graphId }: Assistant) => {
    if (!registry.has(graphId)) throw new ServiceError("not_found", `Graph "${graphId}" is not among the graphs of this server.`);
    return graphId;
  };
  const find = async (request: FastifyRequest, assistantId: string): Promise<Assistant> => {
    const { scope } = await request.access("assistants:read", { assistant_id: toAssistantId(assistantId) });
    return getAssistant(pool, scope, assistantId);
  };
  const open = async (assistant: Assistant, { user }: FastifyRequest): Promise<AnyGraph> => {
    const { config, context } = assistant;
    const own = Object.entries(config.configurable ?? {}).filter(([key]) => !isReservedKey(key));
    const configurable = { ...Object.fromEntries(own), ...authKeys(user) };
    return registry.open(knownGraph(assistant), { config: { ...config, configurable, context } });
  };

  app.get(
    "/assistants/:assistantId/graph",
    { schema: { params: OneAssistant, querystring: z.object({ xray: Xray }) }, config },
    async (request, reply) => {
      const graph = await open(await find(request, request.params.assistantId), request);
      const drawing = await graph.getGraphAsync({ xray: request.query.xray ?? false } as RunnableConfig);
      return reply.send(drawing.toJSON());
    },
  );

  app.get("/assistants/:assistantId/schemas", { schema: { params: OneAssistant }, config }, async (request, reply) =>
    reply.send(await registry.schemas(knownGraph(await find(request, request.params.assistantId)))),
  );

  const listSubgraphs = async (request: FastifyRequest, assistant: Assistant, namespace: string | undefined, recurse: boolean) => {
    const graph = await open(assistant, request);
    const subgraphs: Record<string, unknown> = {};
    for await (const [name, subgraph] of graph.getSubgraphsAsync(namespace, recurse)) {
      subgraphs[name] = underBothNames(await registry.subgraphSchemas(assistant.graph_id, name, subgraph));
    }
    return subgraphs;
  };
  const Recurse = z.object({ recurse: Flag.optional() });

  app.get(
    "/assistants/:assistantId/subgraphs",
    { schema: { params: OneAssistant, querystring: Recurse }, config },
    async (request, reply) => {
      const assistant = await find(request, request.params.assistantId);
      return reply.send(await listSubgraphs(request, assistant, undefined, request.query.recurse ?? false));
    },
  );

  app.get(
    "/assistants/:assistantId/subgraphs/:namespace",
    { schema: { params: OneAssistant.extend({ namespace: Text }), querystring: Recurse }, config },
    async (request, reply) => {
      const { params, query } = request;
      const assistant = await find(request, params.assistantId);
      return reply.send(await listSubgraphs(request, assistant, params.namespace, query.recurse ?? false));
    },
  );
};
