import { AIMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { team } from "ensemble/patterns";
import { createMiddleware } from "langchain";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Task {
  id: string;
  owner: string | null;
  status: string;
  result: string | null;
  error: string | null;
  tried: string[];
}
interface Team {
  result: string;
  topology: string;
  score: number | null;
  tasks: Task[];
  mail: { from: string; to: string; content: string; summary: string; broadcast: boolean }[];
  stopped: string | null;
  gaps: string[];
  notes: string[];
  messages: { type: string; content: string; id: string }[];
  ledger: { agent: string; outcome: string }[];
  __interrupt__?: { value: object }[];
}
type Input = Record<string, unknown>;

const says = (text: string): ScriptedReply => ({ tokens: [text] });
let calls = 0;
const call = (name: string, args: Input = {}) => ({ id: `call_${++calls}`, name, args });
const does = (name: string, args: Input = {}): ScriptedReply => ({ toolCall: call(name, args) });
const claims = (id: string) => does("claim", { id });
const completes = (result: string) => does("complete", { result });
const writes = (to: string, content: string): ScriptedReply => ({
  toolCall: call(to === "all" ? "broadcast" : "send_message", { ...(to !== "all" && { to }), content, summary: content.slice(0, 20) }),
});

/** The answers of each member, one for each request. The last one is repeated. */
let lines: Record<string, ScriptedReply[]>;
let plan: ScriptedReply;
let score: number;
beforeEach(() => {
  lines = {};
  plan = { json: { tasks: [task("a"), task("b")] } };
  score = 1;
  model.respond((messages) => {
    if (messages.includes("How much do the members")) return { json: { score, reason: "so" } };
    if (messages.includes("Split this into tasks")) return plan;
    if (messages.includes("Answer from the results")) return { tokens: ["All ", "done."] };
    const name = /You are the clerk (\w+)/.exec(messages)?.[1] ?? "";
    const replies = lines[name] ?? [says(`${name} did it.`)];
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? { status: 400 };
  });
});

const task = (id: string, blockedBy: string[] = [], more: Input = {}) => ({
  id,
  subject: `task ${id}`,
  description: `do ${id}`,
  blockedBy,
  ...more,
});
const clerk = (name: string, more: Input = {}) => ({ name, role: `the clerk ${name}`, ...more });
const two = [clerk("ann"), clerk("bob")];
const wait = (threadId: string | null, payload: object) =>
  client.runs.wait(threadId as string, "team", payload) as Promise<unknown> as Promise<Team>;
const run = (context: Input, tasks: object[] = [], threadId: string | null = null) =>
  wait(threadId, { input: { task: "Build it", tasks }, context: { members: two, ...context } });
const stateOf = ({ tasks }: Team) => tasks.map(({ id, owner, status }) => `${id} ${owner} ${status}`);
const requestsTo = (name: string) => model.requests.filter(({ messages }) => JSON.stringify(messages).includes(`the clerk ${name}`));
const agentsOf = ({ ledger }: Team) => ledger.map(({ agent }) => agent);

test("in a star the lead plans, members do their tasks alone, and the lead answers", async () => {
  plan = { json: { tasks: [task("a"), task("b", [], { owner: "bob" }), task("c", ["a"], { owner: "ann" })] } };
  const done = await run({});
  expect(done).toMatchObject({ topology: "star", score: 1, result: "All done.", stopped: null, gaps: [], mail: [], notes: [] });
  expect(stateOf(done)).toEqual(["a ann completed", "b bob completed", "c ann completed"]);
  expect(agentsOf(done)).toEqual(["judge", "lead", "ann", "bob", "ann", "lead"]);
  expect(JSON.stringify(requestsTo("ann").at(-1)?.messages)).toContain('{\\"results\\":{\\"a\\":\\"ann did it.\\"}}');
  expect(model.requests.some(({ tools }) => tools !== undefined)).toBe(false);
});

test("the judge's score decides between star and mesh, and between the two it is a star or a question", async () => {
  score = 4;
  lines = { ann: [claims("a"), completes("A")], bob: [claims("b"), completes("B")] };
  const mesh = await run({}, [task("a"), task("b")]);
  expect(mesh).toMatchObject({ topology: "mesh", score: 4, notes: [expect.stringContaining("2.4 to 2.7 times")] });
  score = 3.2;
  lines = {};
  expect(await run({}, [task("a")])).toMatchObject({ topology: "star" });
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run({ onUnclear: "ask" }, [task("a")], threadId);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "selection", options: ["star", "mesh"], details: { score: 3.2 } } }]);
  expect(await wait(threadId, { command: { resume: "star" } })).toMatchObject({ topology: "star", result: "All done." });
});

test("the plan event tells the topology and the price", async () => {
  const payload = { input: { task: "Build it", tasks: [task("a")] }, context: { members: two, topology: "star" } };
  const events = await collect(client.runs.stream(null, "team", { ...payload, streamMode: "custom" }));
  const told = events.filter(({ event }) => event === "custom").map(({ data }) => data);
  expect(told[0]).toMatchObject({ pattern: "team", type: "plan", topology: "star", tasks: 1, estimate: { calls: 2, tokenFactor: [1, 1] } });
});

test("two that claim one task at once: one gets it, and the other is told", async () => {
  lines = { ann: [claims("a"), completes("A")], bob: [claims("a"), says("Nothing for me.")] };
  const done = await run({ topology: "mesh" }, [task("a"), task("b", ["a"], { owner: "ann" })]);
  expect(stateOf(done)).toEqual(["a ann completed", "b ann completed"]);
  expect(done.mail).toMatchObject([{ from: "team", to: "bob", content: "a was claimed by ann in the same round." }]);
  expect(JSON.stringify(requestsTo("bob")[1]?.messages)).toContain("a was claimed by ann");
});

test("members write to each other, and read their inbox in the next round", async () => {
  lines = {
    ann: [writes("bob", "Which colour?"), says("I wait."), completes("A red one")],
    bob: [says("Busy."), writes("ann", "Red."), says("B")],
  };
  const tasks = [task("a", [], { owner: "ann" }), task("b", ["a"], { owner: "bob" })];
  const done = await run({ topology: "mesh" }, tasks);
  expect(done.tasks.map(({ result }) => result)).toEqual(["A red one", "B"]);
  expect(done.mail.map(({ from, to, content }) => `${from} to ${to}: ${content}`)).toEqual([
    "ann to bob: Which colour?",
    "bob to ann: Red.",
  ]);
});

test("a message to nobody is refused, and the member may correct it", async () => {
  lines = { ann: [writes("eve", "Hello?"), completes("A")] };
  const done = await run({ topology: "mesh" }, [task("a", [], { owner: "ann" })]);
  expect(done.mail).toEqual([]);
  expect(JSON.stringify(requestsTo("ann")[1]?.messages)).toContain('Error: there is no other member \\"eve\\"; there are bob.');
});

test("a broadcast counts as a message to each member, and against the limit", async () => {
  const three = [...two, clerk("cid")];
  lines = { ann: [writes("all", "Look!"), writes("all", "Again!"), completes("A")], bob: [says("Seen.")], cid: [says("Seen.")] };
  const done = await run({ topology: "mesh", members: three, maxBroadcasts: 1 }, [task("a", [], { owner: "ann" })]);
  expect(done.mail.map(({ to, content, broadcast }) => [to, content, broadcast])).toEqual([
    ["bob", "Look!", true],
    ["cid", "Look!", true],
    ["ann", "Your broadcast was not sent, because the team has none left.", false],
  ]);
});

test("members may add tasks, and a task that closes a cycle is not added", async () => {
  lines = { ann: [does("add_task", { ...task("c", ["a"]) }), completes("A"), claims("c"), completes("C")], bob: [says("No.")] };
  const done = await run({ topology: "mesh" }, [task("a", [], { owner: "ann" })]);
  expect(stateOf(done)).toEqual(["a ann completed", "c ann completed"]);
  lines = { ann: [does("add_task", { ...task("d", ["d"]) }), completes("A")], bob: [says("No.")] };
  const other = await run({ topology: "mesh" }, [task("a", [], { owner: "ann" })]);
  expect(stateOf(other)).toEqual(["a ann completed"]);
  expect(other.mail).toMatchObject([{ from: "team", to: "ann", content: expect.stringContaining("the tasks block each other: d → d") }]);
});

test("a member that dies with a task releases it, and another does it with the reason", async () => {
  lines = { ann: [claims("a"), { status: 400 }], bob: [says("Nothing yet."), claims("a"), completes("A")] };
  const done = await run({ topology: "mesh" }, [task("a")]);
  expect(done.tasks).toMatchObject([
    { id: "a", owner: "bob", status: "completed", tried: ["ann"], error: expect.stringMatching(/^ann: .*400/) },
  ]);
  expect(requestsTo("ann")).toHaveLength(2); // ann is not asked again
  lines = { ann: [{ status: 400 }], bob: [says("A by bob")] };
  const star = await run({ topology: "star" }, [task("a", [], { owner: "ann" })]);
  expect(star.tasks).toMatchObject([{ owner: "bob", status: "completed", result: "A by bob" }]);
  expect(JSON.stringify(requestsTo("bob").at(-1)?.messages)).toContain("An earlier try failed: ann:");
});

test("when nobody can go on, the deadlock is named, and what was done is the answer", async () => {
  lines = { ann: [claims("a"), completes("A"), says("I will not.")], bob: [says("Nor will I.")] };
  const done = await run({ topology: "mesh" }, [task("a"), task("b"), task("c", ["b"])]);
  expect(done).toMatchObject({ stopped: "deadlock", result: "All done.", gaps: ["b: nobody does it", "c: blocked by b (pending)"] });
  lines = { ann: [{ status: 400 }], bob: [{ status: 400 }] };
  await expect(run({ topology: "star" }, [task("a"), task("b")])).rejects.toThrow("No task was completed (deadlock): a: nobody does it");
});

test("a task that fails three times is a gap, and those that wait for it are named", async () => {
  lines = { ann: [{ status: 500 }], bob: [says("B")] };
  const members = [clerk("ann", { retries: 0 })];
  await expect(run({ topology: "star", members }, [task("a"), task("b", ["a"])])).rejects.toThrow(
    "No task was completed (deadlock): a: ann:",
  );
  const done = await run({ topology: "star", members: [...members, clerk("bob")] }, [task("a"), task("b")]);
  expect(done.tasks.every(({ status }) => status === "completed")).toBe(true);
});

test("after three failed tasks a person decides: do them again with advice, or accept what there is", async () => {
  lines = { ann: [{ status: 500 }], bob: [says("B")] };
  const context = { topology: "star", members: [clerk("ann", { retries: 0 })], limits: { failures: 1 } };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await run(context, [task("a"), task("b")], threadId);
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "selection", options: ["retry", "adjust", "accept"] } }]);
  await wait(threadId, { command: { resume: "adjust" } });
  lines = {};
  const done = await wait(threadId, { command: { resume: "Use the other door." } });
  expect(stateOf(done)).toEqual(["a ann completed", "b ann completed"]);
  expect(JSON.stringify(requestsTo("ann").findLast(({ messages }) => JSON.stringify(messages).includes("Do task a"))?.messages)).toContain(
    "A person adds: Use the other door.",
  );
  lines = { ann: [says("A"), { status: 500 }] };
  const partial = await run({ ...context, onFailures: "partial" }, [task("a"), task("b")]);
  expect(partial).toMatchObject({ stopped: "failures", result: "All done.", gaps: [expect.stringMatching(/^b: ann: /)] });
});

test("a lead whose plan has a cycle is told so once, and then the run fails", async () => {
  plan = { json: { tasks: [task("a", ["b"]), task("b", ["a"])] } };
  await expect(run({ topology: "star" })).rejects.toThrow(
    "The lead's plan cannot be carried out: a: the tasks block each other: a → b → a",
  );
  const plans = model.requests.filter(({ messages }) => JSON.stringify(messages).includes("Split this into tasks"));
  expect(plans).toHaveLength(2);
  expect(JSON.stringify(plans[1]?.messages)).toContain("the tasks block each other");
});

test("a lead that only delegates does no task, and another one works along", async () => {
  const lead = clerk("eve");
  const done = await run({ topology: "star", lead, delegateOnly: false, members: [clerk("ann")] }, [task("a"), task("b")]);
  expect(stateOf(done)).toEqual(["a ann completed", "b eve completed"]);
  const other = await run({ topology: "star", lead, members: [clerk("ann")] }, [task("a"), task("b")]);
  expect(stateOf(other)).toEqual(["a ann completed", "b ann completed"]);
});

test("messages go in, and only the answer's tokens are streamed", async () => {
  const payload = {
    input: { messages: [{ role: "user", content: "Build it" }] },
    context: { members: two },
    streamMode: ["messages-tuple"],
  };
  const events = await collect(client.runs.stream(null, "team", payload as never) as AsyncIterable<{ event: string; data: unknown }>);
  const spoken = events.filter(({ event }) => event === "messages").map(({ data }) => (data as [{ content: string }])[0].content);
  expect(spoken.filter(Boolean)).toEqual(["All ", "done."]);
});

test("a used-up budget ends the run with an error", async () => {
  await expect(run({ topology: "star", budget: { tokens: 3 } }, [task("a"), task("b", ["a"])])).rejects.toThrow("of its budget of 3");
});

test("a second run on the thread begins with a list of its own", async () => {
  const { thread_id: threadId } = await client.threads.create();
  await run({ topology: "star" }, [task("a")], threadId);
  const second = await run({ topology: "star" }, [task("x")], threadId);
  expect(stateOf(second)).toEqual(["x ann completed"]);
  expect(second.ledger).toHaveLength(2);
});

test("a fork from an earlier round ends differently, and the first result stays", async () => {
  lines = { ann: [says("first")] };
  const { thread_id: threadId } = await client.threads.create();
  await run({ topology: "star", members: [clerk("ann")] }, [task("a"), task("b", ["a"])], threadId);
  const history = await client.threads.getHistory<Team & { round: number }>(threadId, { limit: 50 });
  const second = history.find(({ next, values }) => next.includes("work") && values.round === 1);
  lines = { ann: [says("another")] };
  const forked = await wait(threadId, { input: null, checkpointId: second?.checkpoint.checkpoint_id });
  expect(forked.tasks.map(({ result }) => result)).toEqual(["first", "another"]);
  const before = await client.threads.getState<Team>(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(before.values.tasks.map(({ result }) => result)).toEqual(["first", "first"]);
});

test("in code, members bring tools and middleware, or are graphs, and options are defaults of the context", async () => {
  const looked: string[] = [];
  const look = tool(({ place }) => `${looked.push(place)} seen`, {
    ...{ name: "look", description: "Looks at a place" },
    schema: z.object({ place: z.string() }),
  });
  const watched: string[] = [];
  const watching = createMiddleware({
    name: "watching",
    wrapModelCall(request, handler) {
      watched.push("call");
      return handler(request);
    },
  });
  const echo = new StateGraph(MessagesAnnotation)
    .addNode("repeat", ({ messages }) => ({ messages: [new AIMessage(`heard ${messages.at(-1)?.text.slice(0, 13)}`)] }))
    .addEdge(START, "repeat")
    .compile({ name: "echo" });
  lines = { ann: [does("look", { place: "the river" }), completes("A")] };
  const graph = team({ members: [{ ...clerk("ann"), tools: [look], middleware: [watching] }, echo], topology: "mesh" });
  const tasks = [task("a", [], { owner: "ann" }), task("b", [], { owner: "echo" })];
  const done = await graph.invoke({ task: "Build it", tasks });
  expect(done.tasks.map(({ result }) => result)).toEqual(["A", "heard Task: Do task"]);
  expect(looked).toEqual(["the river"]);
  expect(watched).toHaveLength(2);
  expect(() => team({ members: [clerk("ann"), clerk("ann")] })).toThrow('another participant named "ann"');
});
