import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startCluster, until } from "../cluster-of-processes.ts";
import { startModelServer } from "../model-server.ts";
import { agents } from "./patterns/agents.ts";
import { choreography } from "./patterns/choreography.ts";
import { conversation } from "./patterns/conversation.ts";
import { deliberation } from "./patterns/deliberation.ts";
import { machine } from "./patterns/machine.ts";
import { stage } from "./patterns/row.ts";
import { supervisor } from "./patterns/supervisor.ts";
import { workflow } from "./patterns/workflow.ts";

vi.setConfig({ testTimeout: 240_000 });

/** An endpoint that counts how often each probe of a load test arrives, and can hold back its answers. */
const hits: string[] = [];
let holding: ((probe: string) => boolean) | undefined;
const target = createServer((request, response) => {
  const probe = (request.url ?? "").replace("/?probe=", " ").replace("?probe=", " ");
  hits.push(probe);
  if (!holding?.(probe)) response.setHeader("content-type", "text/plain").end("ok");
});
await once(target.listen(0, "127.0.0.1"), "listening");
afterAll(() => {
  target.closeAllConnections();
  target.close();
});
const address = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;

const model = await startModelServer();
const { client, db, aWorker, rowOf } = await startCluster({
  ENSEMBLE_CONFIG: fileURLToPath(new URL("../../langgraph.json", import.meta.url)),
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  ENSEMBLE_PATTERN_HOSTS: new URL(address).host,
});

/** How often the model was asked each question. A question is identified by words in it. */
let asked: Record<string, number>;
/** The question at which the model stops answering, the first time. The run is then at the point where the test interrupts it. */
let silentAt: string | undefined;

function answering(answers: [words: string, reply: ScriptedReply][]): void {
  asked = {};
  model.respond((messages) => {
    const [words, reply] = answers.find(([text]) => messages.includes(text)) ?? ["?", { tokens: ["unexpected"] }];
    asked[words] = (asked[words] ?? 0) + 1;
    return words === silentAt && asked[words] === 1 ? { hang: true } : reply;
  });
}
beforeEach(() => {
  silentAt = undefined;
});

type Values = Record<string, never>;
const start = async (graphId: string, input: Record<string, unknown>, context?: object) => {
  const { thread_id: threadId } = await client.threads.create();
  return client.runs.create(threadId, graphId, { input, context } as object);
};
const outcome = (run: { thread_id: string; run_id: string }) => client.runs.join(run.thread_id, run.run_id) as Promise<Values>;

const loading = (name: string, difficulty: string, inputSize: number) => ({
  name,
  difficulty,
  inputSize,
  batchSize: 2,
  skillParams: { targets: [`${address}/${name}`], requests: 1, connections: 1, timeoutSeconds: 30 },
});
const load = {
  skill: "performance-testing",
  scenarios: [loading("simple", "easy", 2), loading("medium", "intermediate", 4), loading("complex", "advanced", 8)],
};
const countsOf = (name: string) =>
  Object.entries(
    Object.groupBy(
      hits.filter((hit) => hit.startsWith(`/${name} `)),
      (hit) => hit.split(" ")[1] ?? "",
    ),
  ).map(([probe, times]) => [Number(probe), times?.length ?? 0]);

/** Returns how many parallel tasks have ended and stored their result in this channel. */
async function finished(threadId: string, channel = "progress"): Promise<number> {
  const { rowCount } = await db.query(
    `select from checkpoint_writes
      where thread_id = $1 and checkpoint_ns = '' and channel = $2
        and checkpoint_id = (select max(checkpoint_id) from checkpoints where thread_id = $1 and checkpoint_ns = '')`,
    [threadId, channel],
  );
  return rowCount ?? 0;
}

test("a scenario whose worker is killed goes on at the batch in hand; no batch that finished is run again", async () => {
  hits.length = 0;
  holding = (probe) => probe === "/complex 5";
  const dying = await aWorker();
  const run = await start("scenario", load);
  await until(async () => hits.includes("/complex 5") && (await finished(run.thread_id)) === 2);
  dying.child.kill("SIGKILL");
  holding = undefined;
  await aWorker();
  expect(await outcome(run)).toMatchObject({
    progress: Object.fromEntries(["simple", "medium", "complex"].map((name) => [name, { status: "complete", percent: 100 }])),
  });
  expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 2 });
  expect(countsOf("complex")).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((probe) => [probe, probe === 4 || probe === 5 ? 2 : 1]));
  expect(countsOf("medium").every(([, times]) => times === 1)).toBe(true);
});

test("a scenario that was cancelled goes on where it was when the thread is run on, and says that a person had stopped it", async () => {
  hits.length = 0;
  holding = (probe) => probe === "/complex 3";
  await aWorker();
  const run = await start("scenario", load);
  await until(async () => hits.includes("/complex 3") && (await finished(run.thread_id)) === 2);
  await client.runs.cancel(run.thread_id, run.run_id, true);
  holding = undefined;
  const result = (await client.runs.wait(run.thread_id, "scenario", { input: null })) as Values;
  expect(result).toMatchObject({ progress: { complex: { status: "complete", items: 8 } } });
  const { complex } = result.progress as unknown as Record<string, { history: { reason: string }[] }>;
  expect(complex?.history.map(({ reason }) => reason)).toEqual(["started", "user_halt", "resumed", "all items were worked on"]);
  expect(countsOf("complex")).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((probe) => [probe, probe === 2 || probe === 3 ? 2 : 1]));
});

const broken = [...agents, ...supervisor, ...workflow, ...conversation, ...deliberation, ...choreography, ...machine];

test.each(broken)("$graphId goes on where its worker was killed, and asks nothing again that was answered", async (one) => {
  answering(one.answers);
  silentAt = one.at;
  const dying = await aWorker();
  const run = await start(one.graphId, one.input, one.context);
  await until(async () => asked[one.at] === 1 && (!one.stored || (await finished(run.thread_id, one.stored.channel)) === one.stored.count));
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject(one.outcome);
  expect(asked).toEqual(one.asked);
});

test("of a burst whose worker is killed, only the unfinished tasks are done again", async () => {
  const names = ["one", "two", "three"];
  answering([
    ["from the results", { tokens: ["all"] }],
    ...names.map((name): [string, ScriptedReply] => [`do ${name}`, { tokens: [name] }]),
  ]);
  silentAt = "do two";
  const dying = await aWorker();
  const run = await start("fan-out", { task: "Look", tasks: names.map(stage) });
  await until(async () => asked["do two"] === 1 && (await finished(run.thread_id, "results")) === 2);
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject({ answer: "all", missing: [] });
  expect(asked).toEqual({ "do one": 1, "do two": 2, "do three": 1, "from the results": 1 });
});

test("an effect of a saga that was done before its worker was killed is not done again", async () => {
  hits.length = 0;
  holding = (probe) => probe.startsWith("/charge");
  const call = (name: string) => ({ name, execute: { tool: "fetch_page", args: { url: `${address}/${name}` } }, retries: 0 });
  const dying = await aWorker();
  const saga = [call("reserve"), { ...call("charge"), needs: [] }];
  const run = await start("saga", { task: "Order", saga });
  await until(async () => hits.some((hit) => hit.startsWith("/charge")) && (await finished(run.thread_id, "results")) === 1);
  dying.child.kill("SIGKILL");
  holding = undefined;
  await aWorker();
  expect(await outcome(run)).toMatchObject({ status: "completed" });
  expect(hits.filter((hit) => hit.startsWith("/reserve"))).toHaveLength(1);
  expect(hits.filter((hit) => hit.startsWith("/charge"))).toHaveLength(2);
});

test("an action of a state machine whose worker is killed half-way acts once, and its transition is taken once", async () => {
  hits.length = 0;
  holding = undefined;
  answering([
    ["tool_call_id", { tokens: ["paid"] }],
    ["Pay it", { toolCall: { id: "call_1", name: "fetch_page", args: { url: `${address}/pay` } } }],
  ]);
  silentAt = "tool_call_id"; // the payment has been made, but the agent has not ended
  const context = {
    agents: [{ name: "payer", role: "r", tools: ["fetch_page"] }],
    initial: "open",
    states: { open: {}, paid: { final: true } },
    transitions: [{ from: "open", event: "pay", to: "paid", action: { agent: "payer", task: "Pay it" } }],
  };
  const dying = await aWorker();
  const run = await start("state-machine", { event: "pay" }, context);
  await until(async () => asked.tool_call_id === 1);
  dying.child.kill("SIGKILL");
  await aWorker();
  expect(await outcome(run)).toMatchObject({ state: "paid", output: "paid", history: [{ from: "open", to: "paid", action: "success" }] });
  expect(hits.filter((hit) => hit.startsWith("/pay"))).toHaveLength(1);
  expect(asked).toEqual({ "Pay it": 1, tool_call_id: 2 });
});

test("every pattern that is cancelled stops asking, and goes on from there when the thread is run on", async () => {
  await aWorker();
  for (const one of broken) {
    model.script(); // clients that abandon a request from now on are detected
    answering(one.answers);
    silentAt = one.at;
    const run = await start(one.graphId, one.input, one.context);
    await until(
      async () => asked[one.at] === 1 && (!one.stored || (await finished(run.thread_id, one.stored.channel)) === one.stored.count),
    );
    await client.runs.cancel(run.thread_id, run.run_id, true);
    await model.abandoned();
    expect(await rowOf(run.run_id)).toMatchObject({ status: "interrupted" });
    expect(await client.runs.wait(run.thread_id, one.graphId, { input: null, context: one.context } as object)).toMatchObject(one.outcome);
    expect(asked).toEqual(one.asked);
  }
});

test("a pattern whose model never answers ends in an error that says so, and its thread can be used again", async () => {
  await aWorker();
  for (const { graphId, input, context, answers, outcome: expected, refused } of broken) {
    model.respond(() => ({ status: 400 }));
    const run = await start(graphId, input, context);
    const failure = graphId === "plan-execute" ? /planner failed/ : graphId === "supervisor" ? /supervisor failed/ : /400|failed/;
    expect(await outcome(run)).toMatchObject(refused ?? { __error__: { message: expect.stringMatching(failure) } });
    answering(answers);
    expect(await client.runs.wait(run.thread_id, graphId, { input, context } as object)).toMatchObject(expected);
  }
});

test("an interrupt outlives its worker, and its answer is enough to continue", async () => {
  model.script(
    { toolCall: { id: "call_1", name: "ask_human", args: { question: "Which colour?", options: ["red", "blue"] } } },
    { tokens: ["Red it is."] },
  );
  const dying = await aWorker();
  const { thread_id: threadId } = await client.threads.create();
  const question = { input: { messages: [{ role: "user", content: "Paint it" }] }, context: { tools: ["ask_human"] } };
  const waiting = await client.runs.wait(threadId, "react", question);
  expect(waiting).toMatchObject({ __interrupt__: [{ value: { type: "selection", prompt: "Which colour?", options: ["red", "blue"] } }] });
  dying.child.kill("SIGKILL");
  await aWorker();
  const { context } = question;
  const answered = (await client.runs.wait(threadId, "react", { command: { resume: "red" }, context })) as { messages: object[] };
  expect(answered.messages.at(-1)).toMatchObject({ content: "Red it is." });
  expect(model.requests).toHaveLength(2);
});

test("a fork from an earlier checkpoint ends differently, and the first result stays", async () => {
  let verdict = 0.9;
  model.respond((messages) =>
    messages.includes("Judge this draft")
      ? { json: { valid: verdict > 0.5, score: verdict, problems: [] } }
      : { tokens: [verdict > 0.5 ? "first ending" : "another ending"] },
  );
  await aWorker();
  const run = await start("reflect", { task: "Write" });
  expect(await outcome(run)).toMatchObject({ result: "first ending" });
  const history = await client.threads.getHistory(run.thread_id, { limit: 20 });
  const written = history.find(({ next }) => next.includes("judge"));
  verdict = 0.2;
  const checkpointId = written?.checkpoint.checkpoint_id ?? "";
  const forked = await client.runs.wait(run.thread_id, "reflect", { input: null, checkpointId, context: { maxRounds: 2 } });
  expect(forked).toMatchObject({ result: "another ending" });
  const first = await client.threads.getState(run.thread_id, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ result: "first ending" });
});
