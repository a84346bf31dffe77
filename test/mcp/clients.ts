import { Client, type ClientOptions, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterFile } from "../after-file.ts";

export type Version = "2025-11-25" | "2026-07-28";
export const versions: Version[] = ["2025-11-25", "2026-07-28"];

/** Connects the official MCP client to a service, with one version of the protocol. */
export async function connectMcp(
  url: string,
  version: Version,
  { headers = {}, capabilities = { elicitation: { form: {} } }, ...options }: ClientOptions & { headers?: Record<string, string> } = {},
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    { capabilities, versionNegotiation: { mode: version === "2025-11-25" ? "legacy" : { pin: version } }, ...options },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }));
  afterFile(() => client.close());
  return client;
}
