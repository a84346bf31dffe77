import { CLIENT_CAPABILITIES_META_KEY, type ServerContext } from "@modelcontextprotocol/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { StartDeps } from "../runs/start-run.ts";

/** The name of the extension by which long calls become tasks. */
export const tasksExtension = "io.modelcontextprotocol/tasks";

/** One MCP request, with the HTTP request that carries it. */
export interface McpRequest {
  deps: StartDeps;
  request: FastifyRequest;
  reply: FastifyReply;
  /** True for protocol version 2026-07-28. False for the versions before it. */
  isModern: boolean;
}

/** A call of a tool. */
export interface McpCall extends McpRequest {
  context: ServerContext;
}

/**
 * Returns the capabilities that the client declares in its request. Clients before version 2026-07-28 declare them only at the start of a
 * session, and this service has no sessions. They therefore count as clients without capabilities.
 */
export function capabilitiesOf({ mcpReq }: ServerContext): ClientCapabilities {
  const envelope: Record<string, unknown> = mcpReq.envelope ?? {};
  return (envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined) ?? {};
}

interface ClientCapabilities {
  elicitation?: { form?: object; url?: object };
  sampling?: object;
  roots?: object;
  extensions?: Record<string, unknown>;
}

/** Tells whether the client can follow a task. */
export const knowsTasks = (context: ServerContext): boolean => capabilitiesOf(context).extensions?.[tasksExtension] !== undefined;
