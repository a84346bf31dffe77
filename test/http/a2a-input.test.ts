import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { fetch, db } = await startTestService();
const odd = [null, 7, -1, 2.5, true, "", "text", "a\u0000b", "\ud800", [], {}, [7], [null], { a: { b: [] } }, "x".repeat(10_000), 1e300];
const id = crypto.randomUUID();
const part = { data: {} };
const message = { messageId: "m", role: "ROLE_USER", parts: [part] };
const old = { ...message, kind: "message", role: "user", parts: [{ kind: "data", data: {} }] };

/** A valid request for each method, and the fields in which it gets odd values. */
const methods: Record<string, { params: object; fields: string[] }> = {
  SendMessage: {
    params: { message, configuration: {}, metadata: {} },
    fields: [
      "message",
      "message.messageId",
      "message.contextId",
      "message.taskId",
      "message.role",
      "message.parts",
      "message.parts.0",
      "message.parts.0.data",
      "message.parts.0.text",
      "message.parts.0.raw",
      "message.parts.0.url",
      "configuration",
      "configuration.historyLength",
      "configuration.returnImmediately",
      "configuration.taskPushNotificationConfig",
      "metadata",
      "tenant",
    ],
  },
  "message/send": {
    params: { message: old },
    fields: ["message", "message.parts", "message.parts.0", "message.parts.0.kind", "configuration"],
  },
  SendStreamingMessage: { params: { message }, fields: ["message", "message.parts"] },
  GetTask: { params: { id }, fields: ["id", "historyLength", "tenant"] },
  "tasks/get": { params: { id }, fields: ["id", "historyLength"] },
  ListTasks: {
    params: {},
    fields: ["contextId", "status", "pageSize", "pageToken", "historyLength", "statusTimestampAfter", "includeArtifacts"],
  },
  CancelTask: { params: { id }, fields: ["id", "metadata"] },
  SubscribeToTask: { params: { id }, fields: ["id"] },
  "tasks/resubscribe": { params: { id }, fields: ["id"] },
  CreateTaskPushNotificationConfig: {
    params: { taskId: id, url: "https://a.test/" },
    fields: ["taskId", "id", "url", "token", "authentication", "authentication.scheme"],
  },
  "tasks/pushNotificationConfig/set": {
    params: { taskId: id, pushNotificationConfig: { url: "https://a.test/" } },
    fields: ["taskId", "pushNotificationConfig", "pushNotificationConfig.url"],
  },
  DeleteTaskPushNotificationConfig: { params: { taskId: id, id: "a" }, fields: ["taskId", "id"] },
  GetExtendedAgentCard: { params: {}, fields: ["tenant"] },
};

function withField(document: unknown, path: string, value: unknown): unknown {
  const [field = "", ...rest] = path.split(".");
  const inner = rest.length === 0 ? value : withField(Object(document)[field] ?? {}, rest.join("."), value);
  return Array.isArray(document) ? document.with(Number(field), inner) : { ...(document as object), [field]: inner };
}

async function faultOf(body: unknown): Promise<string | undefined> {
  const response = await fetch("/a2a/steps", { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (response.status >= 500) return `${response.status} ${text}`;
  if (response.headers.get("content-type")?.startsWith("text/event-stream") || response.status !== 200) return undefined;
  const { error } = JSON.parse(text);
  return error?.code === -32603 ? `${error.code} ${error.message}` : undefined;
}

test.each(Object.entries(methods))("%s answers odd parameters without a fault of its own", async (method, { params, fields }) => {
  const faults: string[] = [];
  const check = async (what: string, request: object) => {
    const fault = await faultOf({ jsonrpc: "2.0", id: 1, method, ...request });
    if (fault) faults.push(`${what}: ${fault}`);
  };
  for (const value of odd) {
    const brief = (JSON.stringify(value) ?? "").slice(0, 30);
    await check(`params = ${brief}`, { params: value });
    await check(`id = ${brief}`, { params, id: value });
    for (const field of fields) await check(`${field} = ${brief}`, { params: withField(params, field, value) });
  }
  expect(faults).toEqual([]);
});

test("a key of a data part cannot change what all objects have", async () => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"messageId":"p","role":"ROLE_USER","parts":[{"data":{"__proto__":{"polluted":1}}}]}}}`;
  expect((await fetch("/a2a/steps", { method: "POST", body })).status).toBe(200);
  expect(Object(({} as Record<string, unknown>).polluted)).toEqual({});
  expect((await db.query("select 1")).rowCount).toBe(1);
});
