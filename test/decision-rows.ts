import type { Pool } from "pg";

/** The ids of rows that a user owns, one of each kind, by their names in paths. Each row has `mark` in its metadata or namespace. */
export type Things = Record<
  | "assistantId"
  | "chatId"
  | "responseId"
  | "threadId"
  | "askingId"
  | "busyId"
  | "runId"
  | "waitingId"
  | "cronId"
  | "letterId"
  | "planId"
  | "planThreadId"
  | "taskId"
  | "checkpointId"
  | "questionId"
  | "namespace"
  | "mark"
  | "model"
  | "name"
  | "owner",
  string
>;

export interface DecisionRow {
  /** The auth events whose scopes must include another user's rows, so that this request reaches them. The list must be exact. */
  needs: string[];
  body?: (things: Things) => unknown;
  search?: string;
  headers?: (things: Things) => Record<string, string>;
  /** Returns whether the request reached the other user's rows, if the status 200 does not show it. */
  reached?: (text: string, things: Things, db: Pool) => boolean | Promise<boolean>;
}

const holds = (name: keyof Things) => (text: string, things: Things) => text.includes(things[name]);
const counted = (text: string) => Number(text) > 0;
const marked = { body: ({ mark }: Things) => ({ metadata: { mark } }) };
const prunedOne = (text: string) => JSON.parse(text).pruned_count === 1;
const hasCancelled = async (_text: string, { waitingId }: Things, db: Pool) =>
  (await db.query("select from runs where run_id = $1 and status = 'interrupted'", [waitingId])).rowCount === 1;
const hasNoThread = async (_text: string, { threadId }: Things, db: Pool) =>
  (await db.query("select from threads where thread_id = $1", [threadId])).rowCount === 0;
const hasNoItem = async (_text: string, { mark }: Things, db: Pool) =>
  (await db.query("select from store_items where namespace[2] = $1", [mark])).rowCount === 0;
/** Ends the halt again, because the next rows need runs that end. */
const wasHalted = async (_text: string, _things: Things, db: Pool) => (await db.query("delete from halts")).rowCount === 1;
const run = (more: object = {}) => ({ body: ({ assistantId }: Things) => ({ assistant_id: assistantId, input: {}, ...more }) });
const command = (method: string, params: (things: Things) => object = () => ({})) => ({
  body: (things: Things) => ({ id: 1, method, params: params(things) }),
  reached: (text: string) => text.includes('"success"'),
});
const rpc = (method: string, params: (things: Things) => object = () => ({})) => ({
  body: (things: Things) => ({ jsonrpc: "2.0", id: 1, method, params: params(things) }),
  reached: (text: string) => text.includes('"result"'),
});
const message =
  (more: object = {}) =>
  () => ({
    message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ data: {} }], ...more },
    configuration: { returnImmediately: true },
  });
const hello = [{ role: "user", content: "Hi" }];
const makesRuns = ["threads:create_run", "assistants:read"];
const superstep = { updates: [{ values: {}, as_node: "__start__" }] };
const taken = ({ threadId }: Things) => ({ thread_id: threadId, if_exists: "do_nothing" });
const cancelling = "?cancel_on_disconnect=1";
/** The name of the tool of the things' assistant, which has a part of the assistant's id. */
const toolOf = ({ assistantId }: Things) => `second_version-${assistantId.replaceAll("-", "").slice(-12)}`;
const mcpMeta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
/** A request of the version that answers with JSON. In the older versions, a stream begins before anything is decided. */
const mcp = (method: string, params: (things: Things) => { name?: string }) => ({
  body: (things: Things) => ({ jsonrpc: "2.0", id: 1, method, params: { ...params(things), _meta: mcpMeta } }),
  headers: (things: Things) => {
    const { name } = params(things);
    return { "mcp-protocol-version": "2026-07-28", "mcp-method": method, ...(name !== undefined && { "mcp-name": name }) };
  },
});
const noId = "00000000-0000-4000-8000-000000000000";
const cursorBefore = (tool: string) => Buffer.from(JSON.stringify([tool.slice(0, -1), noId])).toString("base64url");
const item = (things: Things) => ({ namespace: ["shelf", things.mark], key: "k" });

/** One row for each endpoint. A key with a bar names a variant of the endpoint's request after the bar. */
export const decisionRows: Record<string, DecisionRow> = {
  "GET /metrics": { needs: ["threads:search"] },
  "GET /workers": { needs: ["threads:search"] },
  "POST /workers/halt": { needs: ["threads:update"], reached: wasHalted },
  "POST /workers/resume": { needs: ["threads:update"] },
  "GET /resources": { needs: ["threads:search"] },
  "PUT /resources/{name}": { needs: ["threads:update"], body: () => ({ pool: 2 }) },
  "DELETE /resources/{name}": { needs: ["threads:update"] },
  "GET /runs/stats": { needs: ["threads:search"] },
  "GET /usage": { needs: ["threads:search"] },
  "GET /stats": { needs: ["threads:search"] },
  "GET /limits": { needs: ["threads:search"] },
  "GET /limits/{name}": { needs: ["threads:search"] },
  "PUT /limits/{name}": { needs: ["threads:update"], body: () => ({ total: 8 }) },
  "DELETE /limits/{name}": { needs: ["threads:update"] },

  "POST /mcp | tools/list": {
    needs: ["assistants:search"],
    ...mcp("tools/list", (things) => ({ cursor: cursorBefore(toolOf(things)) }) as object),
    reached: (text, things) => text.includes(toolOf(things)),
  },
  "POST /mcp | tools/call": {
    needs: ["assistants:search", "assistants:read"],
    ...mcp("tools/call", (things) => ({ name: toolOf(things), arguments: {} })),
    reached: (text) => text.includes("structuredContent"),
  },

  "POST /assistants | an id that is taken": {
    needs: ["assistants:create", "assistants:read"],
    body: ({ assistantId }) => ({ graph_id: "nested", assistant_id: assistantId, if_exists: "do_nothing" }),
  },
  "POST /assistants/search": { needs: ["assistants:search"], ...marked, reached: holds("assistantId") },
  "POST /assistants/count": { needs: ["assistants:search"], ...marked, reached: counted },
  "GET /assistants/{assistantId}": { needs: ["assistants:read"] },
  "PATCH /assistants/{assistantId}": { needs: ["assistants:update"] },
  "DELETE /assistants/{assistantId}": { needs: ["assistants:delete"] },
  "DELETE /assistants/{assistantId} | its threads too": {
    needs: ["assistants:delete", "threads:delete"],
    search: "?delete_threads=true",
    reached: hasNoThread,
  },
  "POST /assistants/{assistantId}/versions": { needs: ["assistants:read"] },
  "POST /assistants/{assistantId}/latest": { needs: ["assistants:update"] },
  "GET /assistants/{assistantId}/graph": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/schemas": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/subgraphs": { needs: ["assistants:read"] },
  "GET /assistants/{assistantId}/subgraphs/{namespace}": { needs: ["assistants:read"] },

  "GET /v1/models": { needs: ["assistants:search"], reached: holds("model") },
  "GET /v1/models/{model}": { needs: ["assistants:search"] },
  "POST /v1/chat/completions": { needs: ["assistants:read"], body: ({ chatId }) => ({ model: chatId, messages: hello }) },
  "POST /v1/chat/completions | by the assistant's name": {
    needs: ["assistants:read", "assistants:search"],
    body: ({ model }) => ({ model, messages: hello }),
  },
  "POST /v1/responses": {
    needs: ["assistants:read", "threads:read", "threads:create_run"],
    body: ({ chatId, responseId }) => ({ model: chatId, input: "Hi", previous_response_id: responseId }),
  },
  "GET /v1/responses/{responseId}": { needs: ["threads:read"] },
  "GET /v1/responses/{responseId} | as a stream": { needs: ["threads:read"], search: "?stream=true" },
  "POST /v1/responses/{responseId}/cancel": { needs: ["threads:update"] },
  "DELETE /v1/responses/{responseId}": { needs: ["threads:delete"] },

  "POST /threads | an id that is taken": { needs: ["threads:create", "threads:read"], body: taken },
  "POST /threads | supersteps for an id that is taken": {
    needs: ["threads:create", "threads:read", "threads:update"],
    body: (things) => ({ ...taken(things), supersteps: [superstep] }),
  },
  "POST /threads/search": { needs: ["threads:search"], ...marked, reached: holds("threadId") },
  "POST /threads/count": { needs: ["threads:search"], ...marked, reached: counted },
  "POST /threads/prune": { needs: ["threads:delete"], body: ({ threadId }) => ({ thread_ids: [threadId] }), reached: prunedOne },
  "POST /threads/prune | to the latest": {
    needs: ["threads:update"],
    body: ({ threadId }) => ({ thread_ids: [threadId], strategy: "keep_latest" }),
    reached: prunedOne,
  },
  "GET /threads/{threadId}": { needs: ["threads:read"] },
  "GET /threads/{threadId}/storage": { needs: ["threads:read"] },
  "PATCH /threads/{threadId}": { needs: ["threads:update"] },
  "DELETE /threads/{threadId}": { needs: ["threads:delete"] },
  "POST /threads/{threadId}/copy": { needs: ["threads:read"] },
  "GET /threads/{threadId}/state": { needs: ["threads:read"] },
  "POST /threads/{threadId}/state": { needs: ["threads:update"], body: () => ({ values: {}, as_node: "__start__" }) },
  "PATCH /threads/{threadId}/state": { needs: ["threads:update"] },
  "GET /threads/{threadId}/state/{checkpointId}": { needs: ["threads:read"] },
  "POST /threads/{threadId}/state/checkpoint": { needs: ["threads:read"] },
  "GET /threads/{threadId}/history": { needs: ["threads:read"] },
  "POST /threads/{threadId}/history": { needs: ["threads:read"] },
  "GET /threads/{threadId}/stream": { needs: ["threads:read"] },
  "POST /threads/{threadId}/stream/events": { needs: ["threads:read"], reached: (text) => text.includes("event: values") },

  "POST /threads/{threadId}/commands | state.get": { needs: ["threads:read"], ...command("state.get") },
  "POST /threads/{threadId}/commands | state.listCheckpoints": { needs: ["threads:read"], ...command("state.listCheckpoints") },
  "POST /threads/{threadId}/commands | agent.getTree": { needs: ["threads:read"], ...command("agent.getTree") },
  "POST /threads/{threadId}/commands | run.start": {
    needs: makesRuns,
    ...command("run.start", ({ assistantId }) => ({ assistant_id: assistantId, input: {} })),
  },
  "POST /threads/{threadId}/commands | state.fork": {
    needs: ["threads:read", ...makesRuns],
    ...command("state.fork", ({ checkpointId }) => ({ checkpoint_id: checkpointId })),
  },
  "POST /threads/{askingId}/commands | input.respond": {
    needs: ["threads:read", "threads:create_run"],
    ...command("input.respond", ({ questionId }) => ({ interrupt_id: questionId, response: { approved: true } })),
  },
  "POST /threads/{busyId}/commands | input.inject": {
    needs: ["threads:read", "threads:create_run"],
    ...command("input.inject", () => ({ message: { role: "user", content: "hi" } })),
  },

  "POST /interrupts/search": { needs: ["threads:search"], reached: holds("questionId") },

  "GET /threads/{threadId}/runs/{runId}/feedback": { needs: ["threads:read"], reached: holds("runId") },
  "POST /feedback/search": {
    needs: ["threads:search"],
    body: ({ runId }) => ({ run_id: runId }),
    reached: holds("runId"),
  },

  "GET /webhooks/dead": { needs: ["threads:search"], reached: holds("runId") },
  "POST /webhooks/redrive": { needs: ["threads:update"], body: ({ runId }) => ({ run_ids: [runId] }), reached: holds("runId") },

  "GET /dead-letters": { needs: ["threads:search"], reached: holds("letterId"), search: "?limit=1000" },
  "GET /dead-letters/{letterId}": { needs: ["threads:read"] },
  "POST /dead-letters/redrive": {
    needs: ["threads:update", "threads:create_run"],
    body: ({ letterId }) => ({ ids: [letterId] }),
    reached: holds("letterId"),
  },
  "POST /dead-letters/redrive | with another input": {
    needs: ["threads:update", ...makesRuns],
    body: ({ letterId }) => ({ ids: [letterId], edit: {} }),
    reached: holds("letterId"),
  },
  "POST /dead-letters/discard": {
    needs: ["threads:update"],
    body: ({ letterId }) => ({ ids: [letterId] }),
    reached: holds("letterId"),
  },

  "GET /plans": { needs: ["threads:search"], reached: holds("planId"), search: "?limit=1000" },
  "GET /plans/{planId}": { needs: ["threads:read"] },
  "PATCH /plans/{planId}/tasks/{taskId}": { needs: ["threads:update"], body: () => ({ status: "running" }) },
  "DELETE /plans/{planId}": { needs: ["threads:delete"] },
  "GET /threads/{planThreadId}/plan": { needs: ["threads:read"] },

  "POST /threads/{threadId}/runs": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs/stream": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs/wait": { needs: makesRuns, ...run() },
  "POST /threads/{threadId}/runs | made if missing": { needs: makesRuns, ...run({ if_not_exists: "create" }) },
  "POST /threads/{threadId}/runs | of a graph's own assistant": { needs: ["threads:create_run"], ...run({ assistant_id: "steps" }) },
  "POST /runs": { needs: ["assistants:read"], ...run() },
  "POST /runs/stream": { needs: ["assistants:read"], ...run() },
  "POST /runs/wait": { needs: ["assistants:read"], ...run() },
  "POST /runs/batch": {
    needs: makesRuns,
    body: ({ assistantId, threadId }) => [{ assistant_id: assistantId, thread_id: threadId, input: {} }],
  },
  "POST /runs/search": { needs: ["threads:search"], reached: holds("runId") },
  "GET /threads/{threadId}/runs": { needs: ["threads:read", "threads:search"], reached: holds("runId") },
  "GET /threads/{threadId}/runs/{runId}": { needs: ["threads:read"] },
  "DELETE /threads/{threadId}/runs/{runId}": { needs: ["threads:delete"] },
  "GET /threads/{threadId}/runs/{runId}/timeline": { needs: ["threads:read"] },
  "GET /threads/{threadId}/runs/{runId}/join": { needs: ["threads:read"] },
  "GET /threads/{threadId}/runs/{runId}/stream": { needs: ["threads:read"] },
  "GET /runs/{runId}/stream": { needs: ["threads:read"] },
  "GET /threads/{threadId}/runs/{runId}/join | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "GET /threads/{threadId}/runs/{runId}/stream | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "GET /runs/{runId}/stream | to cancel": { needs: ["threads:read", "threads:update"], search: cancelling },
  "POST /threads/{busyId}/runs/{waitingId}/cancel": { needs: ["threads:update"], search: "?wait=1", reached: hasCancelled },
  "POST /runs/cancel": { needs: ["threads:update"], body: () => ({ status: "all" }), reached: hasCancelled },
  "POST /runs/cancel | by name": {
    needs: ["threads:update"],
    body: ({ busyId, waitingId }) => ({ thread_id: busyId, run_ids: [waitingId] }),
    reached: hasCancelled,
  },

  "POST /a2a/{assistantId}": { needs: ["assistants:read", "threads:search"], ...rpc("ListTasks"), reached: holds("runId") },
  "POST /a2a/{assistantId} | to send": { needs: ["assistants:read"], ...rpc("SendMessage", message()) },
  "POST /a2a/{assistantId} | to send in a context": {
    needs: makesRuns,
    ...rpc("SendMessage", (things) => message({ contextId: things.threadId })()),
  },
  "POST /a2a/{assistantId} | to stream": {
    needs: ["assistants:read"],
    ...rpc("SendStreamingMessage", message()),
    reached: (text) => text === "" || text.includes('"result"'),
  },
  "POST /a2a/{assistantId} | to read": { needs: ["assistants:read", "threads:read"], ...rpc("GetTask", ({ runId }) => ({ id: runId })) },
  "POST /a2a/{assistantId} | to cancel": {
    needs: ["assistants:read", "threads:read", "threads:update"],
    ...rpc("CancelTask", ({ runId }) => ({ id: runId })),
    reached: (text) => text.includes("already completed"),
  },
  "POST /a2a/{assistantId} | to be notified": {
    needs: ["assistants:read", "threads:read", "threads:update"],
    ...rpc("CreateTaskPushNotificationConfig", ({ runId }) => ({ taskId: runId, url: "https://a.test/" })),
  },
  "GET /a2a/{assistantId}/.well-known/agent-card.json": { needs: ["assistants:read"] },
  "GET /.well-known/agent-card.json": { needs: ["assistants:read"], search: "?assistant_id={assistantId}" },

  "POST /runs/crons": { needs: ["assistants:read"], ...run({ schedule: "0 0 1 1 *" }) },
  "POST /threads/{threadId}/runs/crons": { needs: makesRuns, ...run({ schedule: "0 0 1 1 *" }) },
  "GET /runs/crons/{cronId}": { needs: ["crons:read"] },
  "PATCH /runs/crons/{cronId}": { needs: ["crons:update", ...makesRuns], body: () => ({ schedule: "0 0 2 2 *" }) },
  "PATCH /runs/crons/{cronId} | to what it runs": { needs: ["crons:update", ...makesRuns], body: () => ({ input: { by: "bob" } }) },
  "PATCH /runs/crons/{cronId} | to run no more": { needs: ["crons:update"], body: () => ({ enabled: false }) },
  "DELETE /runs/crons/{cronId}": { needs: ["crons:delete"] },
  "POST /runs/crons/search": { needs: ["crons:search"], reached: holds("cronId"), body: ({ threadId }) => ({ thread_id: threadId }) },
  "POST /runs/crons/count": { needs: ["crons:search"], reached: counted, body: ({ threadId }) => ({ thread_id: threadId }) },

  "PUT /store/items": { needs: ["store:put"], body: (things) => ({ ...item(things), value: { by: "bob" } }) },
  "GET /store/items": {
    needs: ["store:get"],
    search: "?namespace=shelf&namespace={mark}&key=k",
    reached: (text) => text.includes("owner"),
  },
  "DELETE /store/items": { needs: ["store:delete"], body: item, reached: hasNoItem },
  "POST /store/items/search": {
    needs: ["store:search"],
    body: ({ mark }) => ({ namespace_prefix: ["shelf", mark] }),
    reached: holds("mark"),
  },
  "POST /store/namespaces": { needs: ["store:list_namespaces"], body: ({ mark }) => ({ suffix: [mark] }), reached: holds("mark") },
};
