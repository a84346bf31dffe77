import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Mesh {
  status: string;
  output: unknown;
  board: Record<string, unknown>;
  rounds: { intentions: { agent: string }[]; objections: object[]; withheld: object[]; effects: { agent: string }[]; lost: string[] }[];
  changes: { key: string; by: string }[];
  standings: Record<string, number>;
  lost: string[];
  errors: Record<string, string>;
  ledger: { agent: string }[];
  messages: { content: string }[];
  __interrupt__?: { value: Record<string, unknown> }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "mesh", { input, context } as object) as Promise<unknown> as Promise<Mesh>;
const idle = { json: { shouldAct: false, intention: "", touches: [] } };
const wants = (...touches: string[]) => ({ json: { shouldAct: true, intention: "write", touches } });

/** Answers as the usual agents would: each one writes its key once the key before it is on the board. */
function answerAsUsual(answer: ScriptedReply = { tokens: ["Rivers ", "bend."] }): void {
  model.respond((messages) => {
    const role = ["a researcher", "a critical reader", "an editor"].findIndex((words) => messages.includes(words));
    const key = ["findings", "doubts", "answer"][role] ?? "";
    const has = (name: string) => messages.includes(`\\"${name}\\": \\"`) || messages.includes(`\\"${name}\\":\\"`);
    if (messages.includes("Carry out your intention")) return key === "answer" ? answer : { tokens: [key] };
    if (messages.includes("These are the intentions")) return { json: { objections: [] } };
    const isTurn = !has(key) && (role === 0 || has(role === 1 ? "findings" : "doubts"));
    return isTurn ? wants(key) : idle;
  });
}

test("with nothing but a task, a scout, a critic and a writer act when it is their turn, though nobody leads them", async () => {
  answerAsUsual();
  const { status, output, changes, rounds, messages, ledger } = await run({ task: "Why do rivers bend?" });
  expect({ status, output }).toEqual({ status: "done", output: "Rivers bend." });
  expect(changes.map(({ key, by }) => [key, by])).toEqual([
    ["findings", "scout"],
    ["doubts", "critic"],
    ["answer", "writer"],
  ]);
  expect(rounds).toHaveLength(3);
  expect(messages.map(({ content }) => content)).toEqual(["Why do rivers bend?", "Rivers bend."]);
  // all agents look, those that see another agent's intention are asked for objections, and one acts
  expect(ledger).toHaveLength(3 * (3 + 2 + 1));
});

const agents = ["left", "right"].map((name) => ({ name, role: `the ${name} one` }));

test("of two that want the same key one acts, and the other is told why in the next round", async () => {
  model.respond((messages) => {
    if (messages.includes("Carry out")) return { tokens: ["x"] };
    return messages.includes("These are the intentions") ? { json: { objections: [] } } : wants("key");
  });
  const { rounds, changes } = await run({ task: "t", done: { path: "round", gt: 1 } }, { agents });
  expect(rounds[0]).toMatchObject({ effects: [{ agent: "left" }], withheld: [{ agent: "right", by: "left", reason: "Both touch key." }] });
  expect(changes.map(({ by }) => by)).toEqual(["left"]);
  expect(model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes("Both touch key."))).toHaveLength(1);
});

test("without objections in the context, nobody is asked for them", async () => {
  model.respond((messages) => (messages.includes("Carry out") ? { tokens: ["x"] } : wants(messages.includes("the left one") ? "a" : "b")));
  const { ledger, board } = await run({ task: "t", done: { path: "board.a", exists: true } }, { agents, objections: false });
  expect(board).toEqual({ a: "x", b: "x" });
  expect(ledger).toHaveLength(4);
});

test("agents that may touch known keys only cannot invent one", async () => {
  model.respond((messages) => (messages.includes("Carry out") ? { tokens: ["x"] } : wants("invented")));
  const context = { agents: agents.map((one) => ({ ...one, retries: 0 })), keys: ["known"], onFailures: "partial" };
  const { status, board, lost } = await run({ task: "t" }, context);
  expect({ status, board, lost }).toEqual({ status: "failures", board: {}, lost: ["left", "right"] });
});

test("a judge can decide whether the objective is reached, once after each change", async () => {
  model.respond((messages) => {
    if (messages.includes("Is it enough?")) return { json: { holds: messages.includes("x"), reason: "r" } };
    if (messages.includes("Carry out")) return { tokens: ["x"] };
    return messages.includes("the left one") ? wants("a") : idle;
  });
  const { status, ledger } = await run({ task: "t", done: { ask: "Is it enough?" } }, { agents, objections: false });
  expect(status).toBe("done");
  expect(ledger.filter(({ agent }) => agent === "judge").length).toBeLessThanOrEqual(2);
});

test("an agent that fails is lost, and the others go on without it", async () => {
  model.respond((messages) => {
    if (messages.includes("the right one")) return { status: 400 };
    return messages.includes("Carry out") ? { tokens: ["x"] } : wants("answer");
  });
  const { status, lost, errors, rounds } = await run({ task: "t" }, { agents });
  expect({ status, lost }).toEqual({ status: "done", lost: ["right"] });
  expect(errors.right).toContain("400");
  expect(rounds[0]).toMatchObject({ lost: ["right"], effects: [{ agent: "left" }] });
});

test("if all agents are lost, a person decides, and `retry` brings them back", async () => {
  model.respond(() => ({ status: 400 }));
  const { thread_id } = await client.threads.create();
  const asked = (await client.runs.wait(thread_id, "mesh", { input: { task: "t" }, context: { agents } })) as never as Mesh;
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "selection", options: ["retry", "adjust", "accept"] } }]);
  expect(asked.__interrupt__?.[0]?.value.prompt).toMatch(/lost: left \(.*right \(/);
  model.respond((messages) => {
    if (messages.includes("These are the intentions")) return { json: { objections: [] } };
    return messages.includes("Carry out") ? { tokens: ["x"] } : wants("answer");
  });
  const done = await client.runs.wait(thread_id, "mesh", { command: { resume: "retry" }, context: { agents } });
  expect(done).toMatchObject({ status: "done", board: { answer: "x" }, lost: [] });
});

test("unattended, a run whose agents are all lost ends with what there is", async () => {
  model.respond(() => ({ status: 400 }));
  const result = await run({ task: "t", board: { kept: 1 } }, { agents, onFailures: "partial" });
  expect(result).toMatchObject({ status: "failures", board: { kept: 1 }, lost: ["left", "right"], rounds: [{ effects: [] }] });
});

test("a second run on the thread has a new board, and a fork ends differently", async () => {
  answerAsUsual({ tokens: ["first"] });
  const { thread_id } = await client.threads.create();
  const wait = async (more: object) => (await client.runs.wait(thread_id, "mesh", more as object)) as never as Mesh;
  expect((await wait({ input: { task: "t", board: { old: 1 } } })).board).toMatchObject({ old: 1, answer: "first" });
  const history = await client.threads.getHistory(thread_id, { limit: 60 });
  const again = await wait({ input: { task: "u" } });
  expect(again.board).toEqual({ findings: "findings", doubts: "doubts", answer: "first" });
  expect(again.rounds).toHaveLength(3);
  answerAsUsual({ tokens: ["another"] });
  const before = history.find(({ next }) => next[0] === "act"); // the last action of the first run
  expect((await wait({ input: null, checkpoint: before?.checkpoint })).board).toMatchObject({ old: 1, answer: "another" });
});

test.each([
  ["a mesh of one", { agents: agents.slice(0, 1) }, "agents"],
  ["two agents with one name", { agents: [agents[0], agents[0]] }, "agents[1].name"],
  ["no rounds", { maxRounds: 0 }, "maxRounds"],
  ["a misspelt key", { objection: false }, "objection"],
])("%s is refused with its place, before anything runs", async (_what, context, place) => {
  const refused = await run({ task: "t" }, context).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

test("a wrong input is refused with its place", async () => {
  const refusals = await Promise.all(
    [{}, { task: "t", done: { path: "board" } }, { task: "t", bord: {} }].map((input) => run(input).catch((error) => error)),
  );
  expect(refusals.map(({ status }) => status)).toEqual([422, 422, 422]);
  for (const [index, place] of ["task", "done", "bord"].entries()) expect(refusals[index].message).toContain(place);
});
