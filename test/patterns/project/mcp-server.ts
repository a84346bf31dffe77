import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

/** An MCP server that greets, dies in the middle of a call, and gets a tool while it runs. */
const server = new McpServer({ name: "files", version: "1.0.0" });

server.registerTool("greet", { description: "Greets somebody", inputSchema: { name: z.string() } }, ({ name }) => {
  if (!added) {
    added = true;
    server.registerTool("later", { description: "Came later", inputSchema: {} }, () => ({ content: [{ type: "text", text: "late" }] }));
  }
  return { content: [{ type: "text", text: `${process.env.GREETING}, ${name}` }] };
});
let added = false;
server.registerTool("die", { description: "Dies", inputSchema: {} }, () => process.exit(1));
server.registerTool("wait", { description: "Waits until it is cancelled", inputSchema: {} }, async (_, { signal }) => {
  writeFileSync(process.env.WAITING ?? "", "waiting");
  await once(signal, "abort");
  writeFileSync(process.env.WAITING ?? "", "cancelled");
  return { content: [] };
});
server.registerTool("secret", { description: "Is not in the list of the project", inputSchema: {} }, () => ({ content: [] }));

await server.connect(new StdioServerTransport());
