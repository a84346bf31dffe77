import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startService } from "../../src/main.ts";
import { startTracing } from "../../src/tracing/start-tracing.ts";
import { type CollectedSpan, startCollector } from "../collector.ts";
import { makeProject, until } from "../command.ts";
import { createDatabase } from "../database.ts";
import { startModelServer } from "../model-server.ts";
import { clientFor, startTestService } from "../service.ts";

const collector = await startCollector();
const model = await startModelServer();
const graphs = Object.fromEntries(
  ["agent", "nested", "slow", "fails", "review", "traced", "steps", "mirror"].map((id) => [id, `${resolve("test/graphs", id)}.ts:graph`]),
);
const deaf = `${resolve("test/graphs/traced.ts")}:deaf`;
const calling = `${resolve("test/graphs/front.ts")}:calling`;
const project = await makeProject({ "langgraph.json": { graphs: { ...graphs, calling, deaf } } });
const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_BSP_SCHEDULE_DELAY: "20" };
for (const [name, value] of Object.entries(otel)) vi.stubEnv(name, value); // the exporter reads these variables itself
const env = { ENSEMBLE_CONFIG: `${project}/langgraph.json`, ...otel };
const { fetch, db } = await startTestService(env);

/** Returns a caller that traces. The runs that it creates belong to its span. */
function newCaller(flags = "01") {
  const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

async function ask(path: string, traceparent: string, body: object, ask = fetch): Promise<unknown> {
  const response = await ask(path, { method: "POST", headers: { traceparent, accept: "application/json" }, body: JSON.stringify(body) });
  return response.json();
}

/** Returns the spans of a trace, once the span of the run has arrived, which is the last one. */
async function traced(traceId: string, runs = 1): Promise<CollectedSpan[]> {
  await until(() => collector.of(traceId).filter(({ name }) => name.startsWith("run ")).length === runs);
  return collector.of(traceId);
}

/** Returns the path of each span by name, such as `run > step 1 > node a`. */
function pathsIn(spans: CollectedSpan[]): string[] {
  const path = (span: CollectedSpan): string => {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent ? `${path(parent)} > ${span.name}` : span.name;
  };
  return spans.map(path).sort();
}

test("a run is a trace: its super-steps, their nodes, and the graphs inside, within the span of whoever asked", async () => {
  const { traceId, spanId, traceparent } = newCaller();
  await ask("/runs/wait", traceparent, { assistant_id: "nested", input: { text: "you" } });
  const spans = await traced(traceId);
  expect(pathsIn(spans)).toEqual([
    "run nested",
    "run nested > step 1",
    "run nested > step 1 > node greet",
    "run nested > step 2",
    "run nested > step 2 > node child",
    "run nested > step 2 > node child > step 1",
    "run nested > step 2 > node child > step 1 > node shout",
    "run nested > step 2 > node child > step 2",
    "run nested > step 2 > node child > step 2 > node confirm",
  ]);
  const run = spans.find(({ name }) => name === "run nested");
  expect(run).toMatchObject({ parentSpanId: spanId, kind: 5, attributes: { "ensemble.attempt": 1, "ensemble.outcome": "success" } });
  for (const span of spans) expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  expect(collector.services()).toEqual(["ensemble"]);
});

const question = { messages: [{ role: "user", content: "the secret question" }] };
const config = { configurable: { base_url: model.baseUrl } };
const scriptTool = () =>
  model.script({ toolCall: { id: "one", name: "weather", args: { city: "Berlin" } } }, { tokens: ["the secret ", "answer"] });

test("model calls and tools are spans within their nodes, without the text of prompts and answers", async () => {
  scriptTool();
  const { traceId, traceparent } = newCaller();
  await ask("/runs/wait", traceparent, { assistant_id: "agent", input: question, config });
  const spans = await traced(traceId);
  expect(pathsIn(spans)).toEqual(
    expect.arrayContaining([
      "run agent > step 1 > node model > chat scripted",
      "run agent > step 2 > node tools > execute_tool weather",
      "run agent > step 3 > node model > chat scripted",
    ]),
  );
  const call = spans.find(({ name }) => name === "chat scripted");
  expect(call).toMatchObject({ kind: 3, attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "scripted" } });
  expect(JSON.stringify(spans)).not.toMatch(/secret|Berlin/);
});

test("spans contain prompts and answers if the operator turns that on", async () => {
  const saying = await startTestService({ ...env, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: "true" });
  scriptTool();
  const { traceId, traceparent } = newCaller();
  await ask("/runs/wait", traceparent, { assistant_id: "agent", input: question, config }, saying.fetch);
  const text = JSON.stringify(await traced(traceId));
  for (const said of ["the secret question", "the secret answer", "sunny in Berlin"]) expect(text).toContain(said);
});

test("a new attempt is a new span in the same trace, with a link to the previous attempt", async () => {
  const { traceId, spanId, traceparent } = newCaller();
  const { thread_id: threadId } = (await ask("/threads", "", {})) as { thread_id: string };
  const body = { assistant_id: "slow", input: { until: 30, tickMs: 50 }, config: { recursion_limit: 100 } };
  const { run_id: runId } = (await ask(`/threads/${threadId}/runs`, traceparent, body)) as { run_id: string };
  const noted = async () => (await db.query("select attempt_span from runs where run_id = $1", [runId])).rows[0]?.attempt_span;
  await until(async () => Boolean(await noted()));
  await db.query("update runs set status = 'pending', worker_id = null where run_id = $1", [runId]); // like after a takeover
  const attempts = (await traced(traceId, 2)).filter(({ name }) => name === "run slow");
  const [first, second] = attempts.sort((a, b) => Number(a.attributes["ensemble.attempt"]) - Number(b.attributes["ensemble.attempt"]));
  expect([first, second].map((span) => span?.parentSpanId)).toEqual([spanId, spanId]);
  expect([first, second].map((span) => span?.attributes["ensemble.outcome"])).toEqual(["lost", "success"]);
  expect(second?.links).toEqual([{ traceId, spanId: first?.spanId }]);
});

test("the span of a failure names the error's type, and an interrupt does not count as a failure", async () => {
  const [failing, asking] = [newCaller(), newCaller()];
  await ask("/runs/wait", failing.traceparent, { assistant_id: "fails", input: {} });
  await ask("/runs/wait", asking.traceparent, { assistant_id: "review", input: { topic: "rivers" } });
  const failed = await traced(failing.traceId);
  const node = failed.find(({ name }) => name === "node explode");
  expect(node).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "CustomError" } });
  expect(failed.find(({ name }) => name === "run fails")).toMatchObject({
    status: { code: 2 },
    attributes: { "ensemble.outcome": "error" },
  });
  expect(JSON.stringify(failed)).not.toContain("Boo!");
  const review = (await traced(asking.traceId)).find(({ name }) => name === "node review");
  expect(review).toMatchObject({ status: { code: 0 }, attributes: { "ensemble.interrupted": true } });
});

test("the trace of a cancelled run contains every node that began, also one that ignores the signal", async () => {
  const { traceId, traceparent } = newCaller();
  const { thread_id: threadId } = (await ask("/threads", "", {})) as { thread_id: string };
  const body = { assistant_id: "deaf", input: {} };
  const { run_id: runId } = (await ask(`/threads/${threadId}/runs`, traceparent, body)) as { run_id: string };
  const states = async () => (await fetch(`/threads/${threadId}/state`)).json() as Promise<{ next: string[] }>;
  await until(async () => (await states()).next[0] === "go on");
  await fetch(`/threads/${threadId}/runs/${runId}/cancel?wait=1`, { method: "POST" });
  expect(pathsIn(await traced(traceId))).toEqual([
    "run deaf",
    "run deaf > step 1",
    "run deaf > step 1 > node begin",
    "run deaf > step 2",
    "run deaf > step 2 > node go on",
  ]);
});

test("the spans that a graph creates itself belong to its run", async () => {
  const { traceId, traceparent } = newCaller();
  expect(await ask("/runs/wait", traceparent, { assistant_id: "traced", input: {} })).toEqual({ traceId });
  expect(pathsIn(await traced(traceId))).toContain("run traced > look around");
});

test("a run that another run starts belongs to the trace of that run", async () => {
  const { traceId, traceparent } = newCaller();
  await ask("/runs/wait", traceparent, { assistant_id: "calling", input: {} });
  const spans = await traced(traceId, 2);
  expect(pathsIn(spans)).toContain("run calling > run mirror > step 1 > node look");
});

test("a run that a command starts or resumes belongs to the trace of the caller", async () => {
  const [asking, answering] = [newCaller(), newCaller()];
  const threadId = randomUUID();
  const command = ({ traceparent }: { traceparent: string }, method: string, params: object) =>
    ask(`/threads/${threadId}/commands`, traceparent, { id: 1, method, params });
  await command(asking, "run.start", { assistant_id: "review", input: { topic: "rivers" } });
  const [first] = (await traced(asking.traceId)).filter(({ name }) => name === "run review");
  expect(first).toMatchObject({ parentSpanId: asking.spanId, attributes: { "ensemble.outcome": "success" } });
  const { interrupts } = (await (await fetch(`/threads/${threadId}`)).json()) as { interrupts: Record<string, { id: string }[]> };
  const interrupt_id = Object.values(interrupts)[0]?.[0]?.id;
  await command(answering, "input.respond", { namespace: [], interrupt_id, response: { approved: true } });
  const [second] = (await traced(answering.traceId)).filter(({ name }) => name === "run review");
  expect(second).toMatchObject({ parentSpanId: answering.spanId });
});

test("a caller that does not sample is not traced, and an invalid traceparent starts a new trace", async () => {
  const unsampled = newCaller("00");
  await ask("/runs/wait", unsampled.traceparent, { assistant_id: "steps", input: {} });
  const before = collector.spans.length;
  await ask("/runs/wait", "00-nonsense", { assistant_id: "steps", input: {} });
  await until(() => collector.spans.slice(before).some(({ name, parentSpanId }) => name === "run steps" && !parentSpanId));
  expect(collector.of(unsampled.traceId)).toEqual([]);
});

test("spans are sent as protobuf unless JSON is asked for", async () => {
  vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
  onTestFinished(() => void vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"));
  const { client } = await startTestService({ ...env, OTEL_EXPORTER_OTLP_PROTOCOL: "" });
  await client.runs.wait(null, "steps", { input: {} });
  await until(() => collector.calls.some(({ path, type }) => path === "/v1/traces" && type === "application/x-protobuf"));
});

test("a collector that does not answer delays neither runs nor the shutdown", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close().closeAllConnections());
  await new Promise((listening) => silent.once("listening", listening));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", url);
  onTestFinished(() => void vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url));
  const settings = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: url, DATABASE_URL: await createDatabase(), PORT: "0" };
  const service = await startService(readConfig(settings), pino({ level: "silent" }));
  const { client } = clientFor([service.url ?? ""]);
  for (let n = 0; n < 5; n++) expect(await client.runs.wait(null, "steps", { input: {} })).toMatchObject({ last: "three" });
  await service.stop(); // stops within the test's time limit, because an export may take ten seconds
});

test("a tracing setting that is not supported is logged and does not stop the start", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
  const options = { protocol: "grpc", sampler: "always_off", samplerArgument: 1, delayMs: 10, withContent: false, log, version: "1" };
  expect(await startTracing({ ...options, exporter: "zipkin" })).toBeUndefined();
  await (await startTracing({ ...options, exporter: "otlp" }))?.stop();
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    expect.stringContaining("OTEL_TRACES_EXPORTER is zipkin, which is not supported"),
    expect.stringContaining("OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not supported"),
  ]);
});

test.each([
  [{}, undefined],
  [{ OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" }, undefined],
  [{ OTEL_TRACES_EXPORTER: "zipkin" }, "zipkin"], // the log names it as unsupported
  [{ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" }, undefined],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://x/v1/traces" }, "otlp"],
  [{ OTEL_TRACES_EXPORTER: "console" }, "console"],
])("with %j spans go to: %s", (given, exporter) => {
  expect(readConfig(given).tracing?.exporter).toBe(exporter);
});
