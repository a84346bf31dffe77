import { pino } from "pino";
import { afterAll, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { makeProject } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startModelServer } from "../model-server.ts";
import { clientFor, startProcess, startTestService, type TestProcess } from "../service.ts";

// The shell may have an API key, which the tests must not use.
delete process.env.OPENAI_API_KEY;
delete process.env.OPENAI_BASE_URL;

const project = { ENSEMBLE_CONFIG: "langgraph.json" };
const saidWhenStarted = "the rehearsal model answers";

const started: TestProcess[] = [];
afterAll(() => Promise.all(started.map(({ stop }) => stop())));

/** The service in a process with no environment but this. */
async function start(env: Record<string, string>): Promise<TestProcess> {
  const service = await startProcess({ DATABASE_URL: await createDatabase(), PORT: "0", WORKER_DRAIN_TIMEOUT: "0.2", ...project, ...env });
  started.push(service);
  return service;
}

const hello = { input: { messages: [{ role: "user", content: "Why do rivers bend?" }] } };

async function answerOf({ url = "" }: { url?: string }): Promise<{ content: string; response_metadata: Record<string, unknown> }> {
  const { messages } = (await clientFor([url]).client.runs.wait(null, "chat", hello)) as { messages: [] };
  return messages.at(-1) ?? Promise.reject(new Error("no answer"));
}

const modelOf = async ({ url }: { url?: string }): Promise<unknown> => (await (await fetch(`${url}/info`)).json()).model;

test("without a key and an endpoint the graphs are answered all the same, and it is said by whom", async () => {
  const service = await start({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "" }); // an empty variable counts as unset
  expect(await answerOf(service)).toMatchObject({
    content: expect.stringContaining("rivers"),
    response_metadata: { model_name: "rehearsal", system_fingerprint: "rehearsal" },
  });
  expect(await modelOf(service)).toBe("rehearsal");
  expect(service.output().split(saidWhenStarted)).toHaveLength(2);
});

test("nothing is said of the rehearsal model where no call reaches it", async () => {
  const service = await start({});
  await clientFor([service.url ?? ""]).client.runs.wait(null, "echo", hello);
  expect((await fetch(`${service.url}/info`)).status).toBe(200);
  await service.stop();
  expect(service.output()).not.toContain(saidWhenStarted);
});

test("its tokens are streamed", async () => {
  const { client } = await startTestService(project);
  const tokens: string[] = [];
  for await (const { event, data } of client.runs.stream(null, "chat", { ...hello, streamMode: "messages-tuple" })) {
    if (event === "messages") tokens.push(String(data[0].content));
  }
  expect(tokens.filter(Boolean).length).toBeGreaterThan(5);
  expect(tokens.join("")).toContain("Why do rivers bend?");
});

test.for(["the process's environment", "the project's env"])("an endpoint in %s is used, and nothing else is started", async (where) => {
  const { baseUrl, script, requests } = await startModelServer();
  script({ tokens: ["from", " afar"] });
  const endpoint = { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: "key" };
  const root = await makeProject({ "langgraph.json": { graphs: { chat: `${process.cwd()}/graphs/chat.ts:graph` }, env: endpoint } });
  const service = await start(where.startsWith("the process") ? endpoint : { ENSEMBLE_CONFIG: `${root}/langgraph.json` });
  expect(await answerOf(service)).toMatchObject({ content: "from afar" });
  expect(requests).toHaveLength(1);
  expect(await modelOf(service)).toBe("external");
  expect(service.output()).not.toContain(saidWhenStarted);
});

test("a key alone is enough for it not to be started", async () => {
  const service = await start({ OPENAI_API_KEY: "key" });
  expect(await modelOf(service)).toBe("external");
  expect(service.output()).not.toContain(saidWhenStarted);
});

test("a worker by itself has it; an API, which runs no graph, does not say what its workers use", async () => {
  const DATABASE_URL = await createDatabase();
  const api = await start({ DATABASE_URL, ENSEMBLE_ROLE: "api" });
  const worker = await start({ DATABASE_URL, ENSEMBLE_ROLE: "worker" });
  expect(await answerOf(api)).toMatchObject({ response_metadata: { model_name: "rehearsal" } });
  expect(await modelOf(api)).toBeNull();
  expect(api.output()).not.toContain(saidWhenStarted);
  expect(worker.output()).toContain(saidWhenStarted);
});

test("it ends with the service, which leaves the environment as it was", async () => {
  const before = [process.env.OPENAI_BASE_URL, process.env.OPENAI_API_KEY];
  const env = { ...project, DATABASE_URL: await createDatabase(), PORT: "0" };
  const service = await startService(readConfig(env), pino({ level: "silent" }));
  const baseUrl = process.env.OPENAI_BASE_URL ?? "";
  expect((await fetch(`${baseUrl}/models`)).status).toBe(200);
  await service.stop();
  expect([process.env.OPENAI_BASE_URL, process.env.OPENAI_API_KEY]).toEqual(before);
  await expect(fetch(`${baseUrl}/models`)).rejects.toThrow();
});
