import { Server, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import { callTool } from "./call-tool.ts";
import { type McpRequest, tasksExtension } from "./mcp-call.ts";
import { asProtocolError } from "./mcp-errors.ts";
import { cancelTask, getTask, requireTasks, updateTask } from "./tasks.ts";
import { listTools } from "./tools.ts";

const instructions =
  "Each tool runs a graph of this service. A tool may ask questions before it continues. Calls that take long become tasks, if the client supports tasks.";

/**
 * How long a client may cache a page of tools, in milliseconds. The client must not use the page for another user, because the tools depend
 * on the caller.
 */
const toolsMayBeKeptMs = 60_000;

/** Returns the MCP server for one request. The service keeps no sessions, so every request gets a server of its own. */
export function createMcpServer(mcp: McpRequest): Server {
  const extensions = mcp.isModern ? { extensions: { [tasksExtension]: {} } } : {};
  const server = new Server(
    { name: "ensemble", version: mcp.deps.version },
    {
      capabilities: { tools: {}, logging: {}, ...extensions },
      instructions,
      cacheHints: { "tools/list": { ttlMs: toolsMayBeKeptMs, cacheScope: "private" } },
    },
  );
  server.setRequestHandler("tools/list", ({ params }) => listTools(mcp, params?.cursor).catch(rethrow(mcp)));
  server.setRequestHandler("tools/call", ({ params }, context) =>
    callTool({ ...mcp, context }, params.name, params.arguments ?? {}).catch(rethrow(mcp)),
  );
  if (mcp.isModern) serveTasks(server, mcp);
  return server;
}

const TaskParams = z.looseObject({ taskId: z.string() });
const Responses = z.record(z.string(), z.unknown());

/**
 * Adds the methods of MCP's extension for tasks. The MCP package does not contain them, because each server stores its tasks in its own
 * way.
 */
function serveTasks(server: Server, mcp: McpRequest): void {
  const methods = {
    "tasks/get": (taskId: string) => getTask(mcp, taskId),
    "tasks/cancel": (taskId: string) => cancelTask(mcp, taskId),
    "tasks/update": (taskId: string, { mcpReq }: ServerContext) => updateTask(mcp, taskId, Responses.parse(mcpReq.inputResponses ?? {})),
  };
  for (const [method, handle] of Object.entries(methods)) {
    server.setRequestHandler(method, { params: TaskParams }, async ({ taskId }, context) => {
      requireTasks(context);
      return handle(taskId, context).catch(rethrow(mcp));
    });
  }
}

const rethrow = (mcp: McpRequest) => (error: unknown) => {
  throw asProtocolError(mcp, error);
};
