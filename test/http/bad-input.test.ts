import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Endpoint, endpoints } from "../endpoints.ts";
import { startTestService } from "../service.ts";

const { client, fetch, db } = await startTestService();
const { thread_id: threadId } = await client.threads.create();
const first = { assistant_id: "steps", input: {}, feedback_keys: ["k"] };
await (await fetch(`/threads/${threadId}/runs/wait`, { method: "POST", ...json(first) })).text();
const [run] = await client.runs.list(threadId);
const existing: Record<string, string> = {
  threadId,
  runId: run?.run_id ?? "",
  assistantId: "steps",
  namespace: "child",
  checkpointId: "",
  name: "db",
  model: "create-agent",
};
await fetch("/limits/db", { method: "PUT", ...json({ total: 9, graphs: ["none"] }) });
existing.cronId = (await client.crons.create("steps", { schedule: "0 0 1 1 *" })).cron_id;
const plan = await fetch("/plans", { method: "POST", ...json({ subtasks: [{ id: "a" }] }) });
Object.assign(existing, { planId: ((await plan.json()) as { plan_id: string }).plan_id, taskId: "a" });
const [feedback] = (await (await fetch(`/threads/${threadId}/runs/${existing.runId}/feedback`)).json()) as { url: string }[];
existing.token = feedback?.url.split("/").at(-1) ?? "";
const response = await fetch("/v1/responses", { method: "POST", ...json({ model: "create-agent", input: "Hi" }) });
existing.responseId = ((await response.json()) as { id: string }).id;
existing.checkpointId = (await client.threads.getState(threadId)).checkpoint.checkpoint_id ?? "";

interface Row {
  what: string;
  path: string;
  init: RequestInit;
  status: number;
  /** The field that the error message must name. */
  names?: string;
}

test("every endpoint of the API has its rows", async () => {
  const { paths } = (await (await fetch("/openapi.json")).json()) as { paths: Record<string, object> };
  const served = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((verb) => `${verb.toUpperCase()} ${path}`));
  expect(Object.keys(endpoints).sort()).toEqual(served.sort());
});

test.each(Object.entries(endpoints))("%s answers bad input with a sentence, and stores nothing", async (route, endpoint) => {
  const before = await countRows();
  const complaints: string[] = [];
  for (const row of rowsOf(route, endpoint)) {
    const complaint = await checkRow(row);
    if (complaint) complaints.push(`${row.what}: ${complaint}`);
  }
  expect(complaints).toEqual([]);
  expect(await countRows()).toEqual(before);
});

/** Clients of other versions send fields that this version does not know. They must be ignored. */
test.each(Object.entries(endpoints).filter(([, { body }]) => body !== undefined))(
  "%s takes fields that nobody knows",
  async (route, { body }) => {
    const [method = "", path = ""] = route.split(" ");
    const unknown = { unknown_field: 1, camelCase: {}, constructor: 1 };
    const content = Array.isArray(body) ? body.map((item) => ({ ...item, ...unknown })) : { ...(body as object), ...unknown };
    const response = await fetch(fill(path), { method, ...json(content), signal: AbortSignal.timeout(60_000) });
    expect({ status: response.status, text: response.ok ? "" : await response.text() }).toEqual({
      status: expect.toBeOneOf([200, 204]),
      text: "",
    });
    await response.body?.cancel();
    if (path.includes("runs")) await waitUntilIdle();
  },
);

function rowsOf(route: string, endpoint: Endpoint): Row[] {
  const [method = "", path = ""] = route.split(" ");
  const { body, fields = {}, query = {}, headers = {}, unknownId = 404 } = endpoint;
  const good = { path: fill(path), init: { method, ...(body !== undefined && json(body)) } };
  const inFields = Object.entries(fields).flatMap(([field, values]) =>
    values.map((value) => ({
      ...good,
      what: `${field} = ${brief(value)}`,
      init: { method, ...json(withField(body, field, value)) },
      status: 422,
      names: `body.${field}`,
    })),
  );
  const inQuery = Object.entries(query).flatMap(([name, values]) =>
    values.map((value) => ({
      ...good,
      what: `?${name}=${value}`,
      path: `${good.path}?${name}=${value}`,
      status: 422,
      names: `querystring.${name}`,
    })),
  );
  const inHeaders = Object.entries(headers).flatMap(([name, values]) =>
    values.map((value) => ({
      ...good,
      what: `${name}: ${value}`,
      init: { ...good.init, headers: { [name]: value } },
      status: 422,
      names: `headers.${name}`,
    })),
  );
  return [
    ...inFields,
    ...inQuery,
    ...inHeaders,
    ...spoiltIds(method, path, body, unknownId),
    ...(body === undefined ? [] : spoiltBodies(method, path, body)),
  ];
}

/**
 * Returns requests with malformed ids and with unknown ids. For assistants, namespaces and subtasks, which may have any name, every text is
 * an unknown id.
 */
function spoiltIds(method: string, path: string, body: unknown, unknownId: number): Row[] {
  const init = { method, ...(body !== undefined && json(body)) };
  return [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = ""]) => {
    const at = (id: string) => ({ what: `${name} is ${id}`, path: fill(path, { [name]: id }), init });
    const nul = { ...at("a%00b"), status: 422, names: `params.${name}` };
    if (name === "namespace") return [nul];
    const unknown = { ...at(randomUUID()), status: unknownId };
    if (method === "PUT" && path.startsWith("/limits")) return [nul]; // creates what is not there
    const mayBeAnyText = ["assistantId", "checkpointId", "taskId", "name", "model", "token", "responseId"].includes(name);
    if (mayBeAnyText) return [nul, unknown, { ...at("nobody"), status: 404 }];
    return [nul, unknown, ...["nobody", "-1", `${randomUUID()}x`].map((id) => ({ ...at(id), status: 422, names: `params.${name}` }))];
  });
}

function spoiltBodies(method: string, path: string, body: unknown): Row[] {
  const at = (what: string, status: number, init: RequestInit) => ({ what, path: fill(path), status, init: { method, ...init } });
  const isList = Array.isArray(body);
  const text = (body: string, type = "application/json") => ({ body, headers: { "content-type": type } });
  const form = new FormData();
  form.set("graph_id", "steps");
  return [
    ...["null", '"text"', "7", "true", isList ? "{}" : "[]"].map((other) => ({
      ...at(`the body is ${other}`, 422, text(other)),
      names: "body",
    })),
    ...["{", "{'a': 1}", '{"a": 1,}', "undefined", "\u0000", '{"a": "\u0001"}'].map((broken) =>
      at(`broken JSON ${broken}`, 400, text(broken)),
    ),
    at("not UTF-8", 400, {
      body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      headers: { "content-type": "application/json" },
    }),
    at("a form", 400, { body: form }),
    at("an encoded form", 400, text("graph_id=steps", "application/x-www-form-urlencoded")),
    at("nested too deep", 422, text(`${"[".repeat(501)}${"]".repeat(501)}`)),
    at("nested too deep and open", path.startsWith("/feedback/tokens") ? 413 : 422, text(`{"a":`.repeat(100_000))),
  ];
}

async function checkRow({ path, init, status, names }: Row): Promise<string | undefined> {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(60_000) }).catch((error) => error as Error);
  if (response instanceof Error) return `no answer: ${response.message}`;
  if (response.status < 400) {
    await response.body?.cancel();
    return response.status === status ? undefined : `answered ${response.status}`;
  }
  const text = await response.text();
  if (path.startsWith("/v1/")) return complainOfOpenAi(response.status, text, { status, names });
  if (response.status !== status) return `answered ${response.status} instead of ${status}: ${text.slice(0, 300)}`;
  return status === 422 && names ? complainOfFields(text, names) : complainOfSentence(response, text);
}

const OpenAiError = z.object({ error: z.object({ message: z.string().min(10), type: z.string(), param: z.string().nullable() }) });

/** Returns what is wrong with an error for a client of OpenAI's API, which gets 400 in place of 422. */
function complainOfOpenAi(given: number, text: string, { status, names }: Pick<Row, "status" | "names">): string | undefined {
  if (given !== (status === 422 ? 400 : status)) return `answered ${given} instead of ${status}: ${text.slice(0, 300)}`;
  const read = OpenAiError.safeParse(JSON.parse(text)).data?.error;
  if (!read) return `not OpenAI's form: ${text}`;
  const field = names?.replace(/^(body|params)\./, "");
  const isNamed = status !== 422 || field === undefined || field === "body" || (read.param ?? "").startsWith(field);
  return isNamed ? undefined : `does not name ${names}: ${text}`;
}

function complainOfSentence(response: Response, text: string): string | undefined {
  if (!response.headers.get("content-type")?.startsWith("text/plain")) return `not a sentence but ${response.headers.get("content-type")}`;
  return /^\w.{8,}/.test(text) && !text.startsWith("{") ? undefined : `not a sentence: ${text}`;
}

/** Returns what is wrong with an error's text. Clients show `detail` to people, so it must name the field. */
function complainOfFields(text: string, names: string): string | undefined {
  const { detail, errors } = JSON.parse(text) as { detail: string; errors: { field: string; message: string }[] };
  if (!errors.some(({ field }) => field === names || field.startsWith(`${names}.`))) return `does not name ${names}: ${detail}`;
  return errors.every(({ field, message }) => detail.includes(field) && message !== "Invalid input")
    ? undefined
    : `says too little: ${detail}`;
}

function fill(path: string, ids: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? existing[name] ?? "");
}

function json(body: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

function withField(document: unknown, path: string, value: unknown): unknown {
  const [field = "", ...rest] = path.split(".");
  const inner = rest.length === 0 ? value : withField((document as Record<string, unknown>)?.[field] ?? {}, rest.join("."), value);
  if (Array.isArray(document)) return document.with(Number(field), inner);
  return { ...(document as object), [field]: inner };
}

function brief(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 60);
}

/** Waits until the thread is idle, because updates are refused while it is busy. */
async function waitUntilIdle(): Promise<void> {
  for (const { run_id } of await client.runs.list(threadId)) await client.runs.join(threadId, run_id);
}

async function countRows(): Promise<object> {
  const { rows } = await db.query(`
    select (select count(*) from threads) as threads, (select count(*) from runs) as runs,
           (select count(*) from assistants) as assistants, (select count(*) from assistant_versions) as versions,
           (select count(*) from checkpoints) as checkpoints, (select json_agg(crons order by cron_id) from crons) as crons, (select json_agg(metadata order by thread_id) from threads) as metadata,
           (select json_agg(item) from store_items item) as items, (select json_agg(feedback) from feedback) as feedback`);
  return rows[0];
}
