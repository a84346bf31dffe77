import type { UseQueryResult } from "@tanstack/react-query";
import { answerOf, answerWithHeaders, api, type Schemas } from "../../api.ts";
import { useLive } from "../../live.ts";
import type { JsonSchema } from "../../parts/json-schema.ts";

export type Assistant = Schemas["Assistant"];
export type Version = Omit<Assistant, "updated_at">;

/**
 * Tells whether the service itself made the assistant. The service makes one assistant for each graph, and one for each assistant file of
 * the project.
 */
export const isSystem = ({ metadata }: Pick<Assistant, "metadata">): boolean => metadata.created_by === "system";

/** Returns the fields of a version that a person can change. */
export const contentOf = ({ name, description, graph_id, context, config, metadata }: Version) => ({
  name,
  description,
  graph_id,
  context,
  config,
  metadata,
});

const at = (assistantId: string) => ({ path: { assistantId } });

export const useAssistant = (id: string): UseQueryResult<Assistant> =>
  useLive(["assistants", id], (signal) => answerOf(api.GET("/assistants/{assistantId}", { params: at(id), signal })), { every: 10_000 });

/** Returns the versions of an assistant, the newest first. */
export const useVersions = (id: string, limit: number): UseQueryResult<Version[]> =>
  useLive(
    ["assistants", id, "versions", limit],
    // The OpenAPI document does not describe this response.
    async (signal) => {
      const call = api.POST("/assistants/{assistantId}/versions", { params: at(id), body: { limit }, signal });
      return (await answerOf(call)) as unknown as Version[];
    },
    { every: 10_000 },
  );

/** Returns the ids of all graphs. Reads them from the assistants that the service itself has made, one for each graph. */
export const useGraphs = (): UseQueryResult<string[]> =>
  useLive(
    ["graphs"],
    async (signal) => {
      const body = { limit: 1_000, metadata: { created_by: "system" }, select: ["graph_id" as const] };
      const found = await answerOf(api.POST("/assistants/search", { body, signal }));
      return [...new Set(found.map(({ graph_id }) => graph_id))].sort();
    },
    { every: 60_000 },
  );

export type GraphSchemas = Record<"input_schema" | "context_schema", JsonSchema>;

/** Returns the schemas of a graph. Schemas do not change while the service runs. */
export const useGraphSchemas = (graph: string): UseQueryResult<GraphSchemas> =>
  useLive(
    ["schemas", graph],
    async (signal) =>
      (await answerOf(api.GET("/assistants/{assistantId}/schemas", { params: at(graph), signal }))) as unknown as GraphSchemas,
    { every: 300_000, enabled: graph !== "" },
  );

/** The numbers of the runs and crons that are deleted together with an assistant. */
export interface Belongings {
  runs: number;
  crons: number;
}

export async function readBelongings(id: string, signal: AbortSignal): Promise<Belongings> {
  const search = { assistant_id: id, limit: 1, select: ["run_id" as const] };
  const [{ headers }, crons] = await Promise.all([
    answerWithHeaders(api.POST("/runs/search", { body: search, signal })),
    answerOf(api.POST("/runs/crons/count", { body: { assistant_id: id }, signal })),
  ]);
  return { runs: Number(headers.get("x-pagination-total") ?? 0), crons };
}
