import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterFile } from "./after-file.ts";

interface Received {
  messageId: string;
  text: string;
  taskId?: string;
}

interface Task {
  id: string;
  state: string;
  text: string;
}

/** The agents of the server, by the first part of their path. */
const kinds = {
  plain: { version: "0.3", streaming: false },
  streaming: { version: "0.3", streaming: true },
  newer: { version: "1.0", streaming: false },
  "newer-streaming": { version: "1.0", streaming: true },
} as const;
type Kind = (typeof kinds)[keyof typeof kinds];

/**
 * Starts a server of remote agents, which speak the Agent2Agent protocol in versions 0.3 and 1.0. The first word of a message decides what
 * becomes of its task: it fails, asks, answers without a task, has a long result, or waits until the test ends it. Otherwise the result
 * is the message in capitals.
 */
export async function startRemoteAgents() {
  const received: Received[] = [];
  const cancelled: string[] = [];
  const tokens: { path: string; token: string | undefined }[] = [];
  const tasks = new Map<string, Task>();
  /** While this is set, messages are received but not answered. */
  const state: { held?: Promise<void> } = {};

  const server = createServer(async (request, response) => {
    const { url = "/", headers } = request;
    const [, kind = ""] = url.split("/");
    tokens.push({ path: url, token: headers.authorization });
    const known = kinds[kind as keyof typeof kinds];
    if (url.endsWith("agent-card.json")) {
      const [status, card] = known ? [200, cardOf(kind, known)] : (odd(kind) ?? [404, ""]);
      const location = `http://127.0.0.1:${port}/stolen/card`;
      response.writeHead(status, { "content-type": "application/json", ...(status === 302 && { location }) });
      return void response.end(typeof card === "string" ? card : JSON.stringify(card));
    }
    if (!known || (known.version === "1.0" && headers["a2a-version"] !== "1.0")) return void response.writeHead(400).end();
    await answer(known, await bodyOf(request), response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  afterFile(() => {
    server.closeAllConnections();
    server.close();
  });

  /** The answers to requests for the cards of agents that cannot be used. */
  const odd = (kind: string): [number, unknown] | undefined => {
    const answers: Record<string, [number, unknown]> = {
      locked: [401, ""],
      moved: [302, ""],
      garbled: [200, "<html>"],
      nameless: [200, { url: "/" }],
      elsewhere: [200, { name: "Elsewhere", url: "http://localhost:9/rpc" }],
      grpc: [200, { name: "gRPC", url: `http://127.0.0.1:${port}/`, preferredTransport: "GRPC" }],
    };
    return answers[kind];
  };

  async function answer({ version }: Kind, { id, method, params }: Rpc, response: ServerResponse): Promise<void> {
    const wire = version === "1.0" ? newer : older;
    const envelope = (body: object) => JSON.stringify({ jsonrpc: "2.0", id, ...body });
    const reply = (body: object) => void response.setHeader("content-type", "application/json").end(envelope(body));
    const [send, stream, get, cancel] = wire.methods;
    if (method === get || method === cancel) return reply(lookUp(params.id ?? "", method === cancel, wire));
    if (method !== send && method !== stream) return reply({ error: { code: -32601, message: "Method not found" } });
    const { messageId, parts, taskId } = params.message as NonNullable<Rpc["params"]["message"]>;
    const text = parts[0]?.text ?? "";
    received.push({ messageId, text, ...(taskId && { taskId }) });
    await state.held;
    const result = text.startsWith("direct") ? wire.message("at once") : wire.result(begin(text, taskId));
    if (method === send) return reply({ result });
    response.setHeader("content-type", "text/event-stream").write(`data: ${envelope({ result })}\n\n`);
    if (text.startsWith("drop")) setTimeout(() => response.destroy(), 20);
    else if (!text.startsWith("wait")) response.end();
  }

  function lookUp(id: string, isCancel: boolean, wire: typeof older | typeof newer): object {
    const task = tasks.get(id);
    if (!task) return { error: { code: -32001, message: "Task not found" } };
    if (isCancel) {
      cancelled.push(id);
      task.state = "canceled";
    }
    return { result: wire.task(task) };
  }

  function begin(text: string, continued?: string): Task {
    const task = (continued && tasks.get(continued)) || { id: crypto.randomUUID(), state: "", text: "" };
    tasks.set(task.id, task);
    const [word = ""] = text.split(" ");
    const outcomes: Record<string, [string, string]> = {
      wait: ["working", ""],
      ask: ["input-required", "Which year?"],
      fail: ["failed", "no data"],
      login: ["auth-required", ""],
      long: ["completed", "x".repeat(250_000)],
    };
    [task.state, task.text] = outcomes[word] ?? ["completed", text.toUpperCase()];
    return task;
  }

  const cardOf = (kind: string, { version, streaming }: Kind) => ({
    name: "Archive",
    description: "Knows the archive.",
    capabilities: { streaming },
    skills: [{ id: "find", name: "find", description: "finds documents", tags: [] }],
    ...(version === "1.0"
      ? { supportedInterfaces: [{ url: `http://127.0.0.1:${port}/${kind}/rpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }] }
      : { protocolVersion: "0.3.0", url: `http://127.0.0.1:${port}/${kind}/rpc`, preferredTransport: "JSONRPC" }),
  });

  return {
    port,
    received,
    cancelled,
    tokens,
    state,
    /** Ends the tasks that wait. */
    finish(text: string) {
      for (const task of tasks.values()) if (task.state === "working") Object.assign(task, { state: "completed", text });
    },
    /** Writes a langgraph.json with these remote agents, and returns its path. */
    project(a2a: object) {
      const folder = mkdtempSync(join(tmpdir(), "ensemble-a2a-"));
      const graphs = Object.fromEntries(
        ["react", "pipeline"].map((id) => [id, `${fileURLToPath(new URL(`../graphs/${id}.ts`, import.meta.url))}:graph`]),
      );
      writeFileSync(join(folder, "langgraph.json"), JSON.stringify({ graphs, ensemble: { a2a } }));
      return join(folder, "langgraph.json");
    },
  };
}

interface Rpc {
  id: string;
  method: string;
  params: { id?: string; message?: { messageId: string; taskId?: string; parts: { text?: string }[] } };
}

async function bodyOf(request: IncomingMessage): Promise<Rpc> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

const older = {
  methods: ["message/send", "message/stream", "tasks/get", "tasks/cancel"],
  message: (text: string) => ({ kind: "message", role: "agent", messageId: "m", parts: [{ kind: "text", text }] }),
  task: ({ id, state, text }: Task) => ({
    kind: "task",
    id,
    contextId: "c",
    status: { state, ...(state !== "completed" && text && { message: older.message(text) }) },
    ...(state === "completed" && { artifacts: [{ artifactId: "a", parts: [{ kind: "text", text }] }] }),
  }),
  result: (task: Task): object => older.task(task),
};

const newer = {
  methods: ["SendMessage", "SendStreamingMessage", "GetTask", "CancelTask"],
  message: (text: string) => ({ message: { role: "ROLE_AGENT", messageId: "m", parts: [{ text }] } }),
  task: ({ id, state, text }: Task) => ({
    id,
    contextId: "c",
    status: {
      state: `TASK_STATE_${state.replace("-", "_").toUpperCase()}`,
      ...(state !== "completed" && text && newer.message(text)),
    },
    ...(state === "completed" && { artifacts: [{ artifactId: "a", parts: [{ text }] }] }),
  }),
  result: (task: Task): object => ({ task: newer.task(task) }),
};
