import type { RunnableConfig } from "@langchain/core/runnables";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { type Assistant, getAssistant } from "../../assistants/assistants.ts";
import { ServiceError } from "../../errors.ts";
import type { AnyGraph } from "../../registry/registry.ts";
import { describeSchemas } from "../../registry/schemas.ts";
import type { ApiRooms } from "../rooms.ts";
import { Flag, Text, Whole } from "../schemas.ts";

const OneAssistant = z.object({ assistantId: Text });
const Xray = z.union([Flag, Whole(0, 100)]).optional();

/** What an assistant's graph looks like: its drawing, its schemas, its subgraphs. */
export const graphRoutes: FastifyPluginAsyncZod<ApiRooms> = async (app, { pool, registry }) => {
  const knownGraph = ({ graph_id: graphId }: Assistant) => {
    if (!registry.has(graphId)) throw new ServiceError("not_found", `Graph "${graphId}" is not among the graphs of this server.`);
    return graphId;
  };
  const open = async (assistant: Assistant): Promise<AnyGraph> => {
    const { config, context } = assistant;
    return registry.open(knownGraph(assistant), { config: { ...config, configurable: config.configurable ?? {}, context } });
  };

  app.get(
    "/assistants/:assistantId/graph",
    { schema: { params: OneAssistant, querystring: z.object({ xray: Xray }) } },
    async ({ params, query }, reply) => {
      const assistant = await getAssistant(pool, params.assistantId);
      const graph = await open(assistant);
      const drawing = await graph.getGraphAsync({ xray: query.xray ?? false } as RunnableConfig);
      return reply.send(drawing.toJSON());
    },
  );

  app.get("/assistants/:assistantId/schemas", { schema: { params: OneAssistant } }, async ({ params }, reply) =>
    reply.send(await registry.schemas(knownGraph(await getAssistant(pool, params.assistantId)))),
  );

  const listSubgraphs = async (assistantId: string, namespace: string | undefined, recurse: boolean) => {
    const assistant = await getAssistant(pool, assistantId);
    const graph = await open(assistant);
    const subgraphs: Record<string, unknown> = {};
    for await (const [name, subgraph] of graph.getSubgraphsAsync(namespace, recurse)) {
      subgraphs[name] = describeSchemas(assistant.graph_id, subgraph);
    }
    return subgraphs;
  };
  const Recurse = z.object({ recurse: Flag.optional() });

  app.get(
    "/assistants/:assistantId/subgraphs",
    { schema: { params: OneAssistant, querystring: Recurse } },
    async ({ params, query }, reply) => reply.send(await listSubgraphs(params.assistantId, undefined, query.recurse ?? false)),
  );

  app.get(
    "/assistants/:assistantId/subgraphs/:namespace",
    { schema: { params: OneAssistant.extend({ namespace: Text }), querystring: Recurse } },
    async ({ params, query }, reply) => reply.send(await listSubgraphs(params.assistantId, params.namespace, query.recurse ?? false)),
  );
};
