import { afterFile } from "../after-file.ts";

/** The capabilities of a client that answers questions and knows tasks. */
export const everyCapability = { elicitation: { form: {} }, extensions: { "io.modelcontextprotocol/tasks": {} } };

/** Sends one message of version 2026-07-28 without a client, for tests about the exact bytes. */
export async function sendMcp(
  url: string,
  method: string,
  params: Record<string, unknown>,
  {
    headers = {},
    capabilities = everyCapability,
    signal,
  }: { headers?: Record<string, string>; capabilities?: object; signal?: AbortSignal } = {},
): Promise<Response> {
  const name = params.name ?? params.taskId;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": capabilities,
    ...(params._meta as object | undefined),
  };
  const message = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } };
  return fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
      ...headers,
    },
    body: JSON.stringify(message),
    ...(signal && { signal }),
  });
}

/** Sends one message, and returns its result. Throws if the response is an error. */
export async function resultOf<Result>(...asked: Parameters<typeof sendMcp>): Promise<Result> {
  const { result, error } = (await (await sendMcp(...asked)).json()) as { result?: Result; error?: object };
  if (result === undefined) throw new Error(JSON.stringify(error));
  return result;
}

/** Returns a controller whose signal aborts at the end of the file at the latest. */
export function leaving(): AbortController {
  const controller = new AbortController();
  afterFile(async () => controller.abort());
  return controller;
}
