import type { ListToolsResult, Tool } from "@modelcontextprotocol/server";
import { z } from "zod";
import { findProjectTool, findToolAssistant, listToolAssistants, type ToolAssistant, type ToolCursor } from "../../assistants/tools.ts";
import type { GraphSchemas } from "../../registry/graph-schemas.ts";
import type { Registry } from "../../registry/registry.ts";
import { scopeOrNone } from "../admission/access.ts";
import { lightBytes } from "../memory.ts";
import type { McpRequest } from "./mcp-call.ts";
import { invalidParams } from "./mcp-errors.ts";
import { inputSchemaOf, outputSchemaOf } from "./tool-schemas.ts";

const pageSize = 100;

/**
 * When a call becomes a task, if the client knows tasks:
 * - "auto": when it takes longer than a few seconds
 * - "always": immediately
 * - "required": immediately, and a client that does not know tasks is refused
 * - "never": a client always waits for the result
 */
export const TaskUse = z.enum(["auto", "always", "required", "never"]).catch("auto");
const Options = z.object({ mcp: z.object({ tasks: TaskUse.default("auto") }) });

/**
 * Returns when the calls of this assistant become tasks. The assistant's metadata contains this setting, as `{"mcp": {"tasks": "always"}}`.
 */
export const taskUseOf = ({ metadata }: ToolAssistant): z.infer<typeof TaskUse> => Options.safeParse(metadata).data?.mcp.tasks ?? "auto";

/** Lists a page of the assistants that the caller may search, as tools. */
export async function listTools({ deps, request }: McpRequest, cursor: string | undefined): Promise<ListToolsResult> {
  const { scope } = await request.access("assistants:search", {});
  const { tools, more } = await listToolAssistants(deps.pool, scope, { after: readCursor(cursor), limit: pageSize, bytes: lightBytes });
  const schemas = await schemasOf(deps, [...new Set(tools.map(({ graph_id }) => graph_id))]);
  const described = tools.map((tool) => toTool(deps.registry, tool, schemas.get(tool.graph_id)));
  const last = tools.at(-1);
  return { tools: described, ...(more && last && { nextCursor: writeCursor({ tool: last.tool, id: last.assistant_id }) }) };
}

/** Finds the assistant behind a tool's name. Throws if there is none that the caller may use. */
export async function findTool({ deps, request }: McpRequest, name: string): Promise<ToolAssistant> {
  const scope = await scopeOrNone(request, "assistants:search", {});
  const found = (await findToolAssistant(deps.pool, scope, name)) ?? (await findProjectTool(deps.pool, name));
  if (!found) throw invalidParams(`Unknown tool: ${name.slice(0, 200)}`);
  return found;
}

/**
 * Returns the schemas of graphs, keyed by graph id. Leaves out graphs that this process does not have, and graphs that cannot be built
 * without the config of a run. The tools of the graphs that are left out accept any object.
 */
async function schemasOf({ registry, log }: McpRequest["deps"], graphIds: string[]): Promise<Map<string, GraphSchemas>> {
  const schemas = new Map<string, GraphSchemas>();
  for (const graphId of graphIds.filter((id) => registry.has(id))) {
    const read = await registry.schemas(graphId).catch((err) => log.debug({ err, graph_id: graphId }, "a tool has no schemas"));
    if (read) schemas.set(graphId, read);
  }
  return schemas;
}

function toTool(registry: Registry, tool: ToolAssistant, schemas: GraphSchemas | undefined): Tool {
  const { graph_id: graphId, name, description } = tool;
  const ofGraph = registry.has(graphId) ? registry.describe(graphId).description : undefined;
  const outputSchema = outputSchemaOf(schemas?.output_schema);
  return {
    name: tool.tool,
    ...(name !== tool.tool && { title: name }),
    description: description ?? ofGraph ?? `Runs the graph "${graphId}".`,
    inputSchema: inputSchemaOf(schemas?.input_schema),
    ...(outputSchema && { outputSchema }),
    _meta: { "ensemble/tasks": taskUseOf(tool) },
  };
}

const Cursor = z.tuple([z.string().max(200), z.uuid()]);

const writeCursor = ({ tool, id }: ToolCursor): string => Buffer.from(JSON.stringify([tool, id])).toString("base64url");

function readCursor(cursor: string | undefined): ToolCursor | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [tool, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { tool, id };
  } catch {
    throw invalidParams("cursor: must be the nextCursor of an earlier page.");
  }
}
