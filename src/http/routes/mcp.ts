import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { access } from "../admission/access.ts";
import { keepAsking, lineOf, ownRequest } from "../admission/recheck.ts";
import { runDecisions } from "../admission/run-access.ts";
import { sendResponse } from "../front/web-bridge.ts";
import { goneOf } from "../gone.ts";
import { createMcpServer } from "../mcp/mcp-server.ts";
import type { StartDeps } from "../runs/start-run.ts";

/** The fields of a JSON-RPC message. All other fields are dropped, because the MCP SDK refuses unknown fields. */
const Message = z.object({
  jsonrpc: z.unknown().optional(),
  id: z.unknown().optional(),
  method: z.unknown().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

const schema = {
  body: Message.describe("one JSON-RPC message"),
  response: {
    200: {
      description: "The response as JSON, or as a stream if notifications come before it.",
      content: { "application/json": { schema: z.unknown() }, "text/event-stream": { schema: z.string() } },
    },
  },
};
const config = access(...runDecisions, "assistants:search", "threads:read", "threads:update");

/** Serves the Model Context Protocol: the assistants of this service are tools that any MCP client can call. */
export const mcpRoutes: FastifyPluginAsyncZod<StartDeps> = async (app, deps) => {
  const arrivals = new WeakMap<Request, { request: FastifyRequest; reply: FastifyReply }>();
  const handler = createMcpHandler(
    ({ era, requestInfo }) => {
      const arrival = requestInfo && arrivals.get(requestInfo);
      if (!arrival) throw new Error("An MCP request did not come through the route.");
      return createMcpServer({ ...arrival, deps, isModern: era === "modern" });
    },
    { maxSubscriptions: deps.settings.streams, onerror: (err) => deps.log.debug({ err }, "MCP request refused") },
  );
  app.addHook("preClose", () => handler.close());
  app.post("/mcp", { schema, config }, async (request, reply) => {
    const webRequest = toWebRequest(request, reply);
    arrivals.set(webRequest, { request, reply });
    await serve(deps, handler, { request, reply, webRequest });
  });
  for (const method of ["GET", "DELETE"] as const)
    app.route({ method, url: "/mcp", schema: { hide: true }, config: access(), handler: (_, reply) => refuseMethod(reply) });
};

/** Refuses the methods by which a client would open or end a session. The service has no sessions. */
const refuseMethod = (reply: FastifyReply) =>
  reply.code(405).header("allow", "POST").send("There are no sessions here. Send each message with POST.");

/** Returns the request without its body, because the body has already been parsed. The signal aborts when the client disconnects. */
function toWebRequest({ headers }: FastifyRequest, { raw }: FastifyReply): Request {
  const given = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  given.push(["accept", accepted(headers.accept)]);
  return new Request("http://localhost/mcp", { method: "POST", headers: given, signal: goneOf(raw) });
}

const bothForms = "application/json, text/event-stream";

/** Returns the `accept` header for the MCP SDK. The SDK demands both content types, even from a client that accepts everything. */
const accepted = (accept: string | undefined): string => (accept === undefined || accept.includes("*/*") ? bothForms : accept);

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  webRequest: Request;
}

/** Answers an MCP request. After an error, closes the connection, because the HTTP status may already have been sent. */
async function serve(deps: StartDeps, { fetch }: McpHttpHandler, { request, reply, webRequest }: Exchange): Promise<void> {
  const headers = reply.getHeaders();
  reply.hijack();
  const { raw } = reply;
  raw.on("error", () => {});
  keepAsking(deps, request, ownRequest, lineOf(reply));
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  try {
    await sendResponse(await fetch(webRequest, { parsedBody: request.body }), raw);
  } catch (err) {
    deps.log.debug({ err }, "MCP response cut");
    raw.destroy();
  }
}
