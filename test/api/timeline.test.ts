import { expect, test } from "vitest";
import { startModelServer } from "../model-server.ts";
import { startTestService } from "../service.ts";

const model = await startModelServer();
const { client, fetch, db } = await startTestService();

interface Span {
  id: number;
  parent: number | null;
  kind: string;
  name: string;
  started_at: string;
  ended_at: string;
  outcome: string;
  input_tokens: number | null;
  output_tokens: number | null;
  error: string | null;
}

async function timelineOf(threadId: string, runId: string) {
  const response = await fetch(`/threads/${threadId}/runs/${runId}/timeline`);
  expect(response.status).toBe(200);
  return response.json();
}

async function timelineAfter(graphId: string, payload: Parameters<typeof client.runs.create>[2]) {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, graphId, payload);
  await client.runs.join(threadId, runId);
  return timelineOf(threadId, runId);
}

/** Returns the spans as text: their kind, name and outcome, indented below the enclosing spans. */
function outline(spans: Span[]): string[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const pathOf = (span: Span): string => {
    const above = span.parent === null ? undefined : byId.get(span.parent);
    return above ? `${pathOf(above)} > ${span.name}` : span.name;
  };
  const inOrder = spans.toSorted((a, b) => a.started_at.localeCompare(b.started_at) || a.id - b.id);
  return inOrder.map((span) => `${span.kind} ${pathOf(span)}: ${span.outcome}`);
}

test("a timeline has the attempt, its worker, and each node with its times", async () => {
  const { attempts, ...run } = await timelineAfter("steps", { input: {} });
  expect(run).toMatchObject({ graph_id: "steps", status: "success" });
  expect(attempts).toHaveLength(1);
  const [attempt] = attempts;
  expect(attempt).toMatchObject({ attempt: 1, outcome: "success", dropped_spans: 0, pid: expect.any(Number), host: expect.any(String) });
  expect(outline(attempt.spans)).toEqual(["node one: success", "node two: success", "node three: success"]);
  const moments = [run.created_at, attempt.claimed_at, ...attempt.spans.flatMap((s: Span) => [s.started_at, s.ended_at]), attempt.ended_at];
  expect(moments.every((moment, index) => index === 0 || moment >= moments[index - 1])).toBe(true);
});

test("model calls and tools are inside their nodes, with their tokens", async () => {
  model.respond((messages) =>
    messages.includes("tool_call_id") ? { tokens: ["Sunny."] } : { toolCall: { id: "call_1", name: "weather", args: { city: "Bonn" } } },
  );
  const input = { messages: [{ role: "user", content: "Weather?" }] };
  const { attempts } = await timelineAfter("agent", { input, config: { configurable: { base_url: model.baseUrl } } });
  expect(outline(attempts[0].spans)).toEqual([
    "node model: success",
    "model model > scripted: success",
    "node tools: success",
    "tool tools > weather: success",
    "node model: success",
    "model model > scripted: success",
  ]);
  const calls = attempts[0].spans.filter(({ kind }: Span) => kind === "model");
  expect(calls.map((call: Span) => [call.input_tokens, call.output_tokens])).toEqual([
    [1, 0],
    [1, 1],
  ]);
});

test("a model that is called without the node's config is inside the node", async () => {
  model.respond(() => ({ tokens: ["Hello."] }));
  const input = { messages: [{ role: "user", content: "Hi" }] };
  const { attempts } = await timelineAfter("configless", { input, config: { configurable: { base_url: model.baseUrl } } });
  expect(outline(attempts[0].spans).toSorted()).toEqual(["model model > scripted: success", "node model: success"]);
});

test.each([false, true])("nodes of subgraphs are inside the node around them (subgraphs streamed: %s)", async (streamSubgraphs) => {
  model.respond(() => ({ tokens: ["Hello."] }));
  const input = { messages: [{ role: "user", content: "Hi" }] };
  const config = { configurable: { base_url: model.baseUrl } };
  const { attempts } = await timelineAfter("agent-inside", { input, config, streamSubgraphs });
  expect(outline(attempts[0].spans)).toEqual([
    "node agent: success",
    "node agent > model: success",
    "model agent > model > scripted: success",
  ]);
});

test("a failed node has its error, and so have the nodes around it", async () => {
  const { status, attempts } = await timelineAfter("nested", { input: { text: "x", fail: true } });
  expect(status).toBe("error");
  expect(attempts[0].outcome).toBe("error");
  expect(outline(attempts[0].spans)).toEqual(["node greet: success", "node child: error", "node child > shout: success"]);
  expect(attempts[0].spans.find(({ name }: Span) => name === "child").error).toBe("Error: The child is broken.");
});

test("a failed tool and a failed model call have their errors", async () => {
  const input = { messages: [{ role: "user", content: "Warm?" }] };
  const config = { configurable: { base_url: model.baseUrl } };
  model.respond((messages) =>
    messages.includes("tool_call_id") ? { status: 400 } : { toolCall: { id: "call_1", name: "thermometer", args: {} } },
  );
  const { attempts } = await timelineAfter("agent", { input, config });
  expect(outline(attempts[0].spans)).toEqual([
    "node model: success",
    "model model > scripted: success",
    "node tools: success",
    "tool tools > thermometer: error",
    "node model: error",
    "model model > scripted: error",
  ]);
  expect(attempts[0].spans.find(({ kind }: Span) => kind === "tool").error).toBe("RangeError: The thermometer is broken.");
});

test("a node that asks a question is interrupted, and the run that answers it has a timeline of its own", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const asking = await client.runs.create(threadId, "nested", { input: { text: "x", ask: true } });
  await client.runs.join(threadId, asking.run_id);
  const { attempts } = await timelineOf(threadId, asking.run_id);
  expect(outline(attempts[0].spans)).toEqual(["node greet: success", "node child: interrupted", "node child > shout: success"]);
  const answering = await client.runs.create(threadId, "nested", { command: { resume: "yes" } });
  await client.runs.join(threadId, answering.run_id);
  const after = await timelineOf(threadId, answering.run_id);
  expect(outline(after.attempts[0].spans)).toEqual(["node child: success", "node child > confirm: success"]);
});

test("while a run goes on, its timeline is complete up to the last stored step", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "slow", { input: { until: 500, tickMs: 40 } });
  const stored = async () => {
    const { rows } = await db.query(
      "select count(*)::integer as n from checkpoints where run_id = $1 and (metadata ->> 'step')::integer > 0",
      [runId],
    );
    return rows[0].n as number;
  };
  await expect.poll(stored).toBeGreaterThan(3);
  const atLeast = await stored();
  const { status, attempts } = await timelineOf(threadId, runId);
  expect(status).toBe("running");
  expect(attempts).toMatchObject([{ attempt: 1, outcome: null, ended_at: null, worker_id: expect.any(String) }]);
  expect(attempts[0].spans.length).toBeGreaterThanOrEqual(atLeast);
  expect(new Set(attempts[0].spans.map(({ name }: Span) => name))).toEqual(new Set(["note", "tick"]));
  await client.runs.cancel(threadId, runId, true);
  const after = await timelineOf(threadId, runId);
  expect(after.attempts).toMatchObject([{ outcome: "interrupted" }]);
  expect(after.attempts[0].spans.at(-1)).toMatchObject({ name: "tick" });
});

test("a run that nobody has claimed has no attempts", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, afterSeconds: 60 });
  expect(await timelineOf(threadId, runId)).toMatchObject({ status: "pending", attempts: [], started_at: null });
});

test("an unknown run is 404", async () => {
  const { thread_id: threadId } = await client.threads.create();
  expect((await fetch(`/threads/${threadId}/runs/${crypto.randomUUID()}/timeline`)).status).toBe(404);
});

test("an attempt of a worker of the previous release has no spans, and only the times of the run", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {} });
  await client.runs.join(threadId, runId);
  await db.query("update runs set timeline = null, claimed_at = null, claimed_attempt = null where run_id = $1", [runId]);
  await db.query("update checkpoints set spans = null where run_id = $1", [runId]);
  const { attempts } = await timelineOf(threadId, runId);
  const { started_at, ended_at } = await timelineOf(threadId, runId);
  expect(attempts).toMatchObject([{ attempt: 1, claimed_at: started_at, ended_at, outcome: "success", spans: [] }]);
});

test("an attempt that a worker of the previous release took over keeps its spans, and the next attempt gets none of its times", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {} });
  await client.runs.join(threadId, runId);
  await db.query("update runs set timeline = null, attempt = 2 where run_id = $1", [runId]);
  const { attempts } = await timelineOf(threadId, runId);
  expect(attempts).toMatchObject([
    { attempt: 1, claimed_at: expect.any(String), outcome: null, spans: expect.any(Array) },
    { attempt: 2, claimed_at: null, outcome: "success", spans: [] },
  ]);
  expect(outline(attempts[0].spans)).toContain("node one: success");
});
