import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import type { McpServer } from "./project.ts";

/** A connection to an MCP server. It opens on first use, and opens again after a call has failed. */
export interface OpenServer {
  /** Returns a tool of the server. If the server cannot be reached or lacks the tool, returns a tool that tells the model so. */
  tool(name: string): Promise<StructuredToolInterface>;
  close(): Promise<void>;
}

/** Splits a name "<server>/<tool>" into the server, with its definition, and the tool. Returns undefined if the server is unknown. */
export function serverNamed(name: string, servers: Map<string, McpServer>) {
  const slash = name.indexOf("/");
  const server = name.slice(0, Math.max(0, slash));
  const config = servers.get(server);
  return config && { server, config, tool: name.slice(slash + 1) };
}

/** Milliseconds after which the cached list of a server's tools is read again. */
const listedForMs = 60_000;
const answerSeconds = 15;
/**
 * Milliseconds to wait before an unreachable server is tried again. Without this pause, every round of an agent would wait for the server.
 */
const pauseMs = 30_000;
const adapters = "@langchain/mcp-adapters";

interface Connection {
  tools: StructuredToolInterface[];
  listedAt: number;
  /** Reads the server's list of tools again. */
  list(): Promise<void>;
  close(): Promise<void>;
}

/** Returns a connection that opens when it is first used. All runs of a process share the connection. */
export function openServer(server: string, config: McpServer): OpenServer {
  let connecting: Promise<Connection> | undefined;
  let failure: { reason: string; at: number } | undefined;

  async function find(name: string): Promise<StructuredToolInterface | undefined> {
    connecting ??= connect(server, config);
    const connection = await connecting;
    const has = () => connection.tools.find((one) => one.name === name);
    if (!has() || Date.now() - connection.listedAt > listedForMs) await connection.list();
    return has();
  }

  return {
    async tool(name) {
      if (failure && Date.now() - failure.at < pauseMs) return absent(name, failure.reason);
      try {
        const found = await find(name);
        failure = undefined;
        if (!found) return absent(name, `The MCP server "${server}" has no tool "${name}" at the moment.`);
        return reconnecting(found, () => {
          connecting = undefined;
        });
      } catch (error) {
        connecting = undefined;
        failure = { reason: `The MCP server "${server}" cannot be reached: ${(error as Error).message}`, at: Date.now() };
        return absent(name, failure.reason);
      }
    },
    async close() {
      const connection = await connecting?.catch(() => undefined);
      connecting = undefined;
      await connection?.close().catch(() => undefined);
    },
  };
}

async function connect(server: string, config: McpServer): Promise<Connection> {
  const { MultiServerMCPClient, loadMcpTools } = await import("@langchain/mcp-adapters").catch((cause: unknown) => {
    throw new Error(`the package ${adapters} is not installed. Install it in your project: npm install ${adapters}`, { cause });
  });
  const { tools: _, ...place } = config;
  const transport =
    "command" in place
      ? { transport: "stdio" as const, ...place, args: place.args ?? [], stderr: "ignore" as const }
      : { transport: "http" as const, ...place };
  const client = new MultiServerMCPClient({ mcpServers: { [server]: transport }, throwOnLoadError: true });
  const connection: Connection = {
    tools: [],
    listedAt: 0,
    async list() {
      const reached = await client.getClient(server);
      if (!reached) throw new Error("it is not connected");
      connection.tools = await withinSeconds(answerSeconds, loadMcpTools(server, reached as Parameters<typeof loadMcpTools>[1]));
      connection.listedAt = Date.now();
    },
    close: () => client.close(),
  };
  try {
    await withinSeconds(answerSeconds, connection.list());
    return connection;
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
}

/** Returns a tool that closes its connection when a call fails, so that the next call opens a new one. */
function reconnecting(found: StructuredToolInterface, forget: () => void): StructuredToolInterface {
  const invoke: StructuredToolInterface["invoke"] = async (input, config) => {
    try {
      return await found.invoke(input, config);
    } catch (error) {
      if (!config?.signal?.aborted) forget();
      throw error;
    }
  };
  return Object.create(found, { invoke: { value: invoke } });
}

/**
 * Returns a tool that takes the place of a requested tool. Its description and its error tell the model why the requested tool is missing.
 */
function absent(name: string, reason: string): StructuredToolInterface {
  return tool(
    () => {
      throw new Error(reason);
    },
    { name, description: `Not available at the moment. ${reason}`, schema: z.looseObject({}) },
  );
}

async function withinSeconds<Result>(seconds: number, work: Promise<Result>): Promise<Result> {
  const timeout = AbortSignal.timeout(seconds * 1000);
  const late = new Promise<never>((_, reject) => {
    timeout.addEventListener("abort", () => reject(new Error(`it did not answer within ${seconds} s`)));
  });
  return Promise.race([work, late]);
}
