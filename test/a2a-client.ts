import { randomUUID } from "node:crypto";
import {
  type AgentCard,
  type Message,
  type Part,
  Role,
  type SendMessageRequest,
  type StreamResponse,
  type Task,
  type TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { type Client, ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory } from "@a2a-js/sdk/client";

export type Version = "1.0" | "0.3";

/** Returns the official SDK's client for an assistant. Requests alternate between the API processes of the service. */
export async function a2aClient(
  urls: string[],
  assistantId: string,
  version: Version,
  headers: Record<string, string> = {},
): Promise<Client> {
  let turn = 0;
  const fetchImpl: typeof fetch = (input, init) => {
    const url = new URL(String(input));
    url.host = new URL(urls[turn++ % urls.length] ?? "").host;
    const all = new Headers(init?.headers);
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return fetch(url, { ...init, headers: all });
  };
  const legacyCompat = { enabled: true };
  const resolver = new DefaultAgentCardResolver({ fetchImpl, legacyCompat });
  const card: AgentCard = await resolver.resolve(`${urls[0]}/a2a/${assistantId}/.well-known/agent-card.json`, "");
  const supportedInterfaces = card.supportedInterfaces.filter(({ protocolVersion }) => protocolVersion === version);
  const factory = new ClientFactory({ transports: [new JsonRpcTransportFactory({ fetchImpl, legacyCompat })] });
  return factory.createFromAgentCard({ ...card, supportedInterfaces });
}

type Options = Partial<Message> & { now?: boolean; historyLength?: number; push?: Partial<TaskPushNotificationConfig> & { url: string } };

/** Returns the request that sends a message with these parts. With `now`, the task is returned at once. */
export function sending(parts: Part[], { now = false, historyLength, push, ...message }: Options = {}): SendMessageRequest {
  const config = push && { tenant: "", id: "", taskId: "", token: "", authentication: undefined, ...push };
  return {
    tenant: "",
    metadata: undefined,
    message: {
      messageId: randomUUID(),
      contextId: "",
      taskId: "",
      role: Role.ROLE_USER,
      parts,
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
      ...message,
    },
    configuration: { acceptedOutputModes: [], taskPushNotificationConfig: config, historyLength, returnImmediately: now },
  };
}

export const text = (value: string): Part => ({ content: { $case: "text", value }, metadata: undefined, filename: "", mediaType: "" });
export const data = (value: unknown): Part => ({ content: { $case: "data", value }, metadata: undefined, filename: "", mediaType: "" });

/** Returns the contents of parts, without their metadata. */
export const contents = (parts: Part[] = []) => parts.map(({ content }) => content?.value);

/** Returns the result of a request that must answer with a task. */
export function asTask(result: Message | Task): Task {
  if ("status" in result) return result;
  throw new Error(`A message came instead of a task: ${JSON.stringify(result)}`);
}

export async function collectUpdates(stream: AsyncGenerator<StreamResponse, void, undefined>): Promise<StreamResponse[]> {
  const updates: StreamResponse[] = [];
  for await (const update of stream) updates.push(update);
  return updates;
}
