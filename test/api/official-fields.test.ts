import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();
const { thread_id: threadId } = await client.threads.create();
await client.runs.wait(threadId, "steps", { input: {} });

const send = async (method: string, path: string, body?: unknown) => {
  const init = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { method, ...init });
  return `${response.status} ${response.ok ? "" : await response.text()}`.trim();
};
const eachOf = (path: string, field: string, values: string[]) =>
  values.map((value): [string, string, unknown] => ["POST", path, { [field]: field === "select" ? [value] : value }]);

const asked = ["cron_id", "assistant_id", "thread_id", "next_run_date", "end_time", "created_at", "updated_at"];
const cronFields = [...asked, "on_run_completed", "schedule", "timezone", "user_id", "payload", "metadata", "enabled"];
const threadFields = ["thread_id", "created_at", "updated_at", "state_updated_at", "metadata", "config", "status", "values", "interrupts"];
const runFields = ["run_id", "thread_id", "assistant_id", "created_at", "updated_at", "status", "metadata", "kwargs", "multitask_strategy"];
const assistantFields = ["assistant_id", "graph_id", "name", "config", "context", "created_at", "updated_at", "metadata", "version"];
const modes = ["values", "messages", "messages-tuple", "tasks", "checkpoints", "updates", "events", "debug", "custom"];
const cron = { assistant_id: "steps", schedule: "0 0 1 1 *" };
const later = { assistant_id: "steps", input: {}, after_seconds: 3_600 };

/** Requests with the fields and the values that the official server's OpenAPI document lists. */
const requests: [method: string, path: string, body?: unknown][] = [
  ...eachOf("/runs/crons/search", "sort_by", asked),
  ...eachOf("/runs/crons/search", "select", cronFields),
  ["POST", "/runs/crons/search", { metadata: { a: 1 }, enabled: true, sort_order: "asc" }],
  ["POST", "/runs/crons/count", { assistant_id: "steps", metadata: { a: 1 } }],
  ["POST", "/runs/crons", { ...cron, stream_mode: modes, stream_subgraphs: true, stream_resumable: true, durability: "async" }],
  ["POST", "/runs/crons", { ...cron, on_run_completed: "keep", enabled: false, end_time: "2099-01-01T00:00:00Z", timezone: "Asia/Tokyo" }],
  [
    "POST",
    `/threads/${threadId}/runs/crons`,
    { ...cron, multitask_strategy: "rollback", interrupt_before: "*", webhook: "https://a.test/" },
  ],
  ...eachOf("/threads/search", "sort_by", ["thread_id", "status", "created_at", "updated_at", "state_updated_at"]),
  ...eachOf("/threads/search", "select", threadFields),
  ["POST", "/threads/search", { ids: [threadId], values: {}, status: "idle", extract: { last: "values.log[-1]" } }],
  ...eachOf("/assistants/search", "sort_by", ["assistant_id", "created_at", "updated_at", "name", "graph_id"]),
  ...eachOf("/assistants/search", "select", [...assistantFields, "description"]),
  ["POST", "/assistants/steps/versions", { metadata: { a: 1 }, limit: 1, offset: 0 }],
  ...[...runFields, "langsmith_session_name"].map((field): [string, string] => ["GET", `/threads/${threadId}/runs?select=${field}`]),
  ["POST", `/threads/${threadId}/runs`, { ...later, langsmith_tracer: { project_name: "p" }, checkpoint_during: true, durability: "exit" }],
  ["POST", `/threads/${threadId}/history`, { limit: 1, before: { checkpoint_id: crypto.randomUUID() }, checkpoint: {}, metadata: {} }],
  ["GET", `/threads/${threadId}/stream?stream_modes=none`],
  ["POST", "/store/items/search", { namespace_prefix: null, filter: null, query: null, refresh_ttl: null }],
  ["PUT", "/store/items", { namespace: ["a"], key: "k", value: {}, index: null, ttl: null }],
  ["GET", "/store/items?namespace=a&key=k&refresh_ttl=true"],
  ["POST", "/store/namespaces", { prefix: ["a"], suffix: ["a"], max_depth: 1, limit: 1, offset: 0 }],
  ["GET", "/assistants/steps/graph?xray=2"],
  ["GET", "/assistants/steps/subgraphs?recurse=true"],
  ["GET", `/threads/${threadId}?include=ttl`],
  ["GET", "/ok?check_db=1"],
  ["GET", "/metrics?format=json"],
];

test.each(requests)("%s %s takes %j, as the official server does", async (method, path, body) => {
  expect(await send(method, path, body)).toMatch(path.includes("stream_modes=none") ? /^422/ : /^20[04]$/);
});

/** The paths of the official server's OpenAPI document, and of its clients, with their methods. */
const official: Record<string, string> = {
  "/assistants": "post",
  "/assistants/search": "post",
  "/assistants/count": "post",
  "/assistants/{assistant_id}": "get patch delete",
  "/assistants/{assistant_id}/graph": "get",
  "/assistants/{assistant_id}/schemas": "get",
  "/assistants/{assistant_id}/subgraphs": "get",
  "/assistants/{assistant_id}/subgraphs/{namespace}": "get",
  "/assistants/{assistant_id}/versions": "post",
  "/assistants/{assistant_id}/latest": "post",
  "/threads": "post",
  "/threads/search": "post",
  "/threads/count": "post",
  "/threads/prune": "post",
  "/threads/{thread_id}": "get patch delete",
  "/threads/{thread_id}/storage": "get",
  "/threads/{thread_id}/copy": "post",
  "/threads/{thread_id}/state": "get post",
  "/threads/{thread_id}/state/{checkpoint_id}": "get",
  "/threads/{thread_id}/state/checkpoint": "post",
  "/threads/{thread_id}/history": "get post",
  "/threads/{thread_id}/stream": "get",
  "/threads/{thread_id}/stream/events": "post",
  "/threads/{thread_id}/commands": "post",
  "/threads/{thread_id}/runs": "get post",
  "/threads/{thread_id}/runs/crons": "post",
  "/threads/{thread_id}/runs/stream": "post",
  "/threads/{thread_id}/runs/wait": "post",
  "/threads/{thread_id}/runs/{run_id}": "get delete",
  "/threads/{thread_id}/runs/{run_id}/join": "get",
  "/threads/{thread_id}/runs/{run_id}/stream": "get",
  "/threads/{thread_id}/runs/{run_id}/cancel": "post",
  "/runs": "post",
  "/runs/stream": "post",
  "/runs/wait": "post",
  "/runs/batch": "post",
  "/runs/cancel": "post",
  "/runs/crons": "post",
  "/runs/crons/search": "post",
  "/runs/crons/count": "post",
  "/runs/crons/{cron_id}": "get patch delete",
  "/store/items": "put get delete",
  "/store/items/search": "post",
  "/store/namespaces": "post",
  "/a2a/{assistant_id}": "post",
  "/mcp": "post",
  "/info": "get",
  "/metrics": "get",
  "/ok": "get",
};

test("every endpoint of the official server is served, and the page about compatibility names it", async () => {
  const { paths } = (await (await fetch("/openapi.json")).json()) as { paths: Record<string, object> };
  const camel = (path: string) => path.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const page = readFileSync("docs/reference/agent-server-compatibility.md", "utf8");
  for (const [path, methods] of Object.entries(official)) {
    for (const method of methods.split(" ")) {
      expect(Object.keys(paths[camel(path)] ?? {}), path).toContain(method);
      expect(page).toContain(`\`${method.toUpperCase()} ${path}\``);
    }
  }
});
