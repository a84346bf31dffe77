import { z } from "zod";
import { type Place, readJson } from "./requests.ts";

/** The definition of a remote agent in a project. */
export interface RemoteAgent {
  /**
   * The address of the agent. If the address ends in `.json`, it is the address of the agent's card. Otherwise the card is at
   * `.well-known/agent-card.json` below the address.
   */
  url: string;
  headers?: Record<string, string>;
  /** The address of the agent's JSON-RPC endpoint. If this field is undefined, the address in the agent's card is used. */
  endpoint?: string;
}

/** The JSON-RPC endpoint of a remote agent, and the version of the A2A protocol that the agent speaks. */
export interface Endpoint extends Place {
  /** The version of the A2A protocol. Methods and fields have other names in version 1.0 than in version 0.3. */
  version: "0.3" | "1.0";
  tenant?: string;
  streams: boolean;
}

const wellKnown = ".well-known/agent-card.json";

/**
 * The schema of an agent card. In protocol version 1.0, a card lists its addresses in `supportedInterfaces`. In version 0.3, a card has its
 * main address in `url`, and may list more in `additionalInterfaces`.
 */
const Card = z.looseObject({
  name: z.string(),
  description: z.string().default(""),
  skills: z.array(z.looseObject({ name: z.string().default(""), description: z.string().default("") })).default([]),
  capabilities: z.looseObject({ streaming: z.boolean().default(false) }).prefault({}),
  supportedInterfaces: z
    .array(
      z.looseObject({
        url: z.string(),
        protocolBinding: z.string(),
        protocolVersion: z.string().default("1.0"),
        tenant: z.string().optional(),
      }),
    )
    .default([]),
  url: z.string().optional(),
  preferredTransport: z.string().default("JSONRPC"),
  additionalInterfaces: z.array(z.looseObject({ url: z.string(), transport: z.string() })).default([]),
});

/** Reads the card of a remote agent. Returns the agent's description and the agent's JSON-RPC endpoint. */
export async function readCard({ url, headers = {}, endpoint }: RemoteAgent): Promise<{ description: string; endpoint: Endpoint }> {
  const place = url.endsWith(".json") ? url : new URL(wellKnown, url.endsWith("/") ? url : `${url}/`).href;
  const { success, data: card, error } = Card.safeParse(await readJson({ url: place, headers }));
  if (!success) throw new Error(`its card is wrong: ${z.prettifyError(error).replaceAll("\n", " ")}`);
  const { version, tenant, ...found } = interfaceOf(card);
  const target = endpoint ?? new URL(found.url, place).href;
  if (!endpoint && new URL(target).origin !== new URL(url).origin) {
    throw new Error(`its card names the endpoint ${target}, which is on another host. Set "endpoint" in langgraph.json to allow it.`);
  }
  const versioned = { ...headers, ...(version === "1.0" && { "a2a-version": "1.0" }) };
  const skills = card.skills.map(({ name, description }) => `${name} (${description})`).join("; ");
  const description = `${card.name}: ${card.description}${skills && ` Skills: ${skills}`}`.slice(0, longestDescription);
  return {
    description,
    endpoint: { url: target, headers: versioned, version, ...(tenant && { tenant }), streams: card.capabilities.streaming },
  };
}

const longestDescription = 2_000;

/** Returns the JSON-RPC interface that a card offers. If the agent speaks several versions, returns the interface of version 1.0. */
function interfaceOf(card: z.infer<typeof Card>): { url: string; version: Endpoint["version"]; tenant?: string | undefined } {
  const listed = card.supportedInterfaces.filter(({ protocolBinding }) => protocolBinding.toUpperCase() === "JSONRPC");
  const newest = listed.find(({ protocolVersion }) => !protocolVersion.startsWith("0."));
  if (newest) return { url: newest.url, tenant: newest.tenant, version: "1.0" };
  const main = { url: card.url, transport: card.preferredTransport };
  const older =
    listed[0] ?? [main, ...card.additionalInterfaces].find(({ url, transport }) => url && transport.toUpperCase() === "JSONRPC");
  if (!older?.url) throw new Error("its card offers no JSON-RPC interface.");
  return { url: older.url, version: "0.3" };
}
