import { AgentCard, type SecurityScheme } from "@a2a-js/sdk";
import { duplicateInterfacesForLegacy } from "@a2a-js/sdk/compat/v0_3";
import { LegacyRestTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import { type A2ARequestHandler, ServerCallContext } from "@a2a-js/sdk/server";
import type { Assistant } from "../../assistants/assistants.ts";
import type { ApiDeps } from "../api-deps.ts";
import { inputKeys } from "./message-input.ts";

const files = ["image/*", "audio/*", "application/*"];

/** Returns the card of an assistant. `origin` is the address under which the client reached this service. */
export async function cardOf(deps: ApiDeps, assistant: Assistant, origin: string): Promise<AgentCard> {
  const { registry, auth, version, settings } = deps;
  const { assistant_id: id, graph_id: graphId } = assistant;
  const described = registry.has(graphId) ? registry.describe(graphId) : { name: graphId, description: undefined };
  const isOwn = assistant.metadata.created_by === "system";
  const name = isOwn ? described.name : assistant.name;
  const keys = await inputKeys(registry, graphId);
  const description = assistant.description ?? described.description ?? descriptionFor(graphId, keys);
  const takesMessages = keys?.includes("messages") ?? true;
  const inputModes = ["application/json", ...(takesMessages ? ["text/plain", ...files] : [])];
  const outputModes = ["text/plain", "application/json"];
  const url = `${origin}/a2a/${encodeURIComponent(id)}`;
  const securitySchemes: Record<string, SecurityScheme> = auth ? schemes : {};
  return {
    name,
    description,
    supportedInterfaces: duplicateInterfacesForLegacy(
      [{ url, protocolBinding: "JSONRPC", tenant: "", protocolVersion: "1.0" }],
      ["JSONRPC"],
    ),
    provider: undefined,
    version: registry.version(graphId) ?? version,
    capabilities: { streaming: true, pushNotifications: settings.sendsWebhooks, extensions: [], extendedAgentCard: true },
    securitySchemes,
    securityRequirements: Object.keys(securitySchemes).map((scheme) => ({ schemes: { [scheme]: { list: [] } } })),
    defaultInputModes: inputModes,
    defaultOutputModes: outputModes,
    skills: [{ id: graphId, name, description, tags: [graphId], examples: [], inputModes, outputModes, securityRequirements: [] }],
    signatures: [],
  };
}

/**
 * The ways to authenticate at a service with auth: the header `x-api-key` of LangGraph's SDK, and the bearer token of most other clients.
 */
const schemes: Record<string, SecurityScheme> = {
  apiKey: { scheme: { $case: "apiKeySecurityScheme", value: { description: "", location: "header", name: "x-api-key" } } },
  bearer: { scheme: { $case: "httpAuthSecurityScheme", value: { description: "", scheme: "Bearer", bearerFormat: "" } } },
};

const descriptionFor = (graphId: string, keys: string[] | undefined) =>
  keys && !keys.includes("messages")
    ? `Runs the graph ${graphId}. It takes a data part with an object. Its keys are: ${keys.join(", ")}.`
    : `Runs the graph ${graphId}.`;

/** Returns a card as clients of version 1.0 read it. */
export const toNewCard = (card: AgentCard): object => AgentCard.toJSON(card) as object;

/**
 * Returns a card as clients of version 0.3 read it. The card also lists the interfaces of version 1.0. A client of version 1.0 gets this
 * card too if it does not name its version.
 */
export async function toOldCard(card: AgentCard): Promise<object> {
  const source = { getAuthenticatedExtendedAgentCard: async () => card } as Partial<A2ARequestHandler> as A2ARequestHandler;
  const old = await new LegacyRestTransportHandler(source).getAuthenticatedExtendedAgentCard(new ServerCallContext());
  const { supportedInterfaces } = toNewCard(card) as { supportedInterfaces?: unknown };
  return { ...old, supportedInterfaces };
}
