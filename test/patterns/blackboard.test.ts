import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model, db } = await startPatterns();
beforeEach(() => model.script());

interface Change {
  version: number;
  value: unknown;
  by: string;
}
interface Blackboard {
  status: string;
  output: unknown;
  board: Record<string, unknown>;
  history: Record<string, Change[]>;
  settlements: { key: string; by: string; winner: { by: string }; losers: { by: string; value: unknown }[]; reason: string }[];
  refused: object[];
  exhausted: string[];
  errors: Record<string, string>;
  events: { type: string; from: string }[];
  ledger: { agent: string }[];
  messages: { content: string }[];
}

const run = (input: object, context = {}) =>
  client.runs.wait(null, "blackboard", { input, context } as object) as Promise<unknown> as Promise<Blackboard>;
const source = (name: string, reads: string[], writes: string[], more: object = {}) => ({
  name,
  reads,
  writes,
  do: { task: `do ${name}` },
  ...more,
});
const asked = (words: string) => model.requests.map(({ messages }) => JSON.stringify(messages)).filter((text) => text.includes(words));

test("with nothing but a task, entities are extracted, seen from two sides at once, and answered", async () => {
  model.respond((messages) => {
    if (messages.includes("List what the task is about")) return { json: { entities: ["rivers", "bends"] } };
    return { tokens: messages.includes("Write the answer") ? ["Rivers ", "bend."] : ["seen"] };
  });
  const result = await run({ task: "Why do rivers bend?" });
  expect(result).toMatchObject({ status: "solved", output: "Rivers bend.", exhausted: [], refused: [] });
  expect(result.board).toEqual({
    task: "Why do rivers bend?",
    extracted_entities: { entities: ["rivers", "bends"] },
    relations: "seen",
    doubts: "seen",
    answer: "Rivers bend.",
  });
  expect(result.events.map(({ from }) => from)).toEqual(["start", "extractor", "analyst", "skeptic", "writer"]);
  expect(result.messages.map(({ content }) => content)).toEqual(["Why do rivers bend?", "Rivers bend."]);
});

test("a source sees only the keys that it reads", async () => {
  model.respond(() => ({ tokens: ["ok"] }));
  await run({ task: "the goal", board: { open: "for all", secret: "for few" } }, { sources: [source("reader", ["open"], ["note"])] });
  expect(asked("do reader")[0]).toContain("for all");
  expect(asked("do reader")[0]).not.toContain("for few");
});

const sure = (key: string, value: unknown, confidence: number) => ({ json: { values: { [key]: value }, confidence } });
const rivals = [source("left", ["task"], ["name"]), source("right", ["task"], ["name"]), source("after", ["name"], ["end"])];

test("two write one key at once: the surer one holds, the other view is kept, and the key wakes its readers once", async () => {
  model.respond((messages) => {
    if (messages.includes("do after")) return { tokens: ["end"] };
    return messages.includes("do left") ? sure("name", "Thames", 0.6) : sure("name", "Rhine", 0.9);
  });
  const { board, settlements, history, events } = await run({ task: "t" }, { sources: rivals });
  expect(board.name).toBe("Rhine");
  expect(settlements).toMatchObject([
    { key: "name", by: "confidence", winner: { by: "right" }, losers: [{ by: "left", value: "Thames", confidence: 0.6 }] },
  ]);
  expect(history.name?.map(({ value }) => value)).toEqual(["Rhine"]);
  expect(events.filter(({ from }) => from === "after")).toHaveLength(1);
});

test("equally sure values go to the judge, and so do all with arbitration; the last holds only if that is asked for", async () => {
  model.respond((messages) => {
    if (messages.includes("Which of them should hold")) return { json: { winner: "left", reason: "It is older." } };
    if (messages.includes("do after")) return { tokens: ["end"] };
    return messages.includes("do left") ? sure("name", "Thames", 0.9) : sure("name", "Rhine", 0.9);
  });
  for (const conflicts of ["confidence", "arbitration"]) {
    const { board, settlements } = await run({ task: "t" }, { sources: rivals, conflicts });
    expect(board.name).toBe("Thames");
    expect(settlements).toMatchObject([{ by: "arbitration", winner: { by: "left" }, reason: "It is older." }]);
  }
  const { board, history } = await run({ task: "t" }, { sources: rivals, conflicts: "last" });
  expect(board.name).toBe("Rhine");
  expect(history.name?.map(({ value, by, version }) => [value, by, version])).toEqual([
    ["Thames", "left", 1],
    ["Rhine", "right", 2],
  ]);
});

test("two that agree are no conflict", async () => {
  model.respond((messages) => (messages.includes("do after") ? { tokens: ["end"] } : sure("name", "Rhine", 0.5)));
  const { settlements, history } = await run({ task: "t" }, { sources: rivals });
  expect(settlements).toEqual([]);
  expect(history.name).toHaveLength(1);
});

test("a source that wakes itself stops at its limit", async () => {
  let count = 0;
  model.respond(() => ({ tokens: [`${++count}`] }));
  const result = await run({ task: "t" }, { sources: [source("counter", ["task", "n"], ["n"], { maxFires: 4 })] });
  expect(result).toMatchObject({ status: "exhausted", board: { n: "4" }, exhausted: ["counter"] });
});

test("a write of the same value wakes nobody", async () => {
  model.respond(() => ({ tokens: ["same"] }));
  const result = await run(
    { task: "t", board: { n: "same" } },
    { sources: [source("a", ["task"], ["n"]), source("b", ["n"], ["m"], { maxFires: 1 })] },
  );
  expect(result.history.n).toHaveLength(1);
  expect(asked("do b")).toHaveLength(1); // only once, for the first value
  expect(result.exhausted).toEqual([]);
});

test("a write to a key of others is refused and named; the other writes of the result hold", async () => {
  const output = { type: "object", properties: { mine: { type: "string" }, yours: { type: "string" } } };
  model.respond(() => ({ json: { mine: "ok", yours: "stolen" } }));
  const sources = [{ name: "thief", reads: ["task"], writes: ["mine", "other"], do: { agent: "thief" } }];
  const { board, refused } = await run({ task: "t" }, { sources, agents: [{ name: "thief", role: "r", output }] });
  expect(board).toEqual({ task: "t", mine: "ok" });
  expect(refused).toEqual([{ source: "thief", key: "yours" }]);
});

test("one source works at a time: the one with the highest priority, or the one that the judge names", async () => {
  model.respond((messages) => (messages.includes("bring the work forward") ? { json: { agent: "b", reason: "r" } } : { tokens: ["ok"] }));
  const sources = [source("a", ["task"], ["x"]), source("b", ["task"], ["y"]), source("c", ["task"], ["z"], { priority: 1 })];
  const byPriority = await run({ task: "t" }, { sources, control: "priority" });
  expect(byPriority.events.slice(1).map(({ from }) => from)).toEqual(["c", "a", "b"]);
  const byJudge = await run({ task: "t" }, { sources, control: "judge" });
  expect(byJudge.events.slice(1).map(({ from }) => from)).toEqual(["b", "c", "a"]);
});

test("a judge is asked every three writes and at the end whether the goal is met", async () => {
  let count = 0;
  model.respond((messages) =>
    messages.includes("Is it solved?") ? { json: { holds: false, reason: "not yet" } } : { tokens: [`${++count}`] },
  );
  const context = { sources: [source("counter", ["task", "n"], ["n"], { maxFires: 7 })], goalMet: { ask: "Is it solved?" } };
  const { status, ledger } = await run({ task: "t" }, context);
  expect(status).toBe("exhausted");
  expect(ledger.map(({ agent }) => agent).join(" ")).toBe("counter counter counter judge counter counter counter judge counter judge");
});

test("a caller writes to the board from outside, which wakes those who read the key", async () => {
  model.respond(() => ({ tokens: ["noted"] }));
  const context = { sources: [source("listener", ["news"], ["note"])] };
  const { thread_id } = await client.threads.create();
  const before = (await client.runs.wait(thread_id, "blackboard", { input: { task: "t" }, context })) as never as Blackboard;
  expect(before.events).toHaveLength(1);
  const command = { update: { board: { news: "it rains" } }, goto: "publish" };
  const after = (await client.runs.wait(thread_id, "blackboard", { command, context } as object)) as never as Blackboard;
  expect(after.board).toEqual({ task: "t", news: "it rains", note: "noted" });
  expect(after.history.news).toMatchObject([{ by: "outside", value: "it rains" }]);
});

test("what a person answers too late, after the key has changed, is a conflict", async () => {
  const context = {
    sources: [{ name: "ask", reads: ["task"], writes: ["colour"], do: { ask: "Which colour?" } }],
    conflicts: "arbitration",
  };
  model.respond(() => ({ json: { winner: "outside", reason: "It is newer." } }));
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, "blackboard", { input: { task: "t" }, context });
  const command = { update: { board: { colour: "red" } }, resume: "blue" };
  const done = (await client.runs.wait(thread_id, "blackboard", { command, context } as object)) as never as Blackboard;
  expect(done.board.colour).toBe("red");
  expect(done.settlements).toMatchObject([{ winner: { by: "outside", value: "red" }, losers: [{ by: "ask", value: "blue" }] }]);
});

test("clients that stream the run get each change of the board as an event", async () => {
  model.respond(() => ({ tokens: ["ok"] }));
  const types: string[] = [];
  const options = { input: { task: "t" }, context: { sources: [source("a", ["task"], ["n"])] }, streamMode: "custom" as const };
  for await (const { event, data } of client.runs.stream(null, "blackboard", options))
    if (event === "custom") types.push(Object(data).type);
  expect(types).toEqual(["reaction", "board:n"]);
});

async function bytesOf(writes: number): Promise<number> {
  let count = 0;
  model.respond(() => ({ tokens: [`${++count}`] }));
  const { thread_id } = await client.threads.create();
  const context = { sources: [source("counter", ["task", "n"], ["n"], { maxFires: writes })], maxEvents: 500, maxDepth: 500 };
  const done = (await client.runs.wait(thread_id, "blackboard", { input: { task: "t" }, context })) as never as Blackboard;
  expect(done.history.n).toHaveLength(writes);
  const { rows } = await db.query(
    `select (select coalesce(sum(pg_column_size(c.*)), 0) from checkpoints c where thread_id = $1)
          + (select coalesce(sum(pg_column_size(b.*)), 0) from checkpoint_blobs b where thread_id = $1)
          + (select coalesce(sum(pg_column_size(w.*)), 0) from checkpoint_writes w where thread_id = $1) as bytes`,
    [thread_id],
  );
  return Number(rows[0].bytes);
}

test("two hundred writes take about twice the space of a hundred", { timeout: 120_000 }, async () => {
  const hundred = await bytesOf(100);
  expect((await bytesOf(200)) / hundred).toBeLessThan(2.5);
});

test.each([
  ["two sources with one name", { sources: [source("a", ["task"], ["x"]), source("a", ["task"], ["x"])] }, "sources[1].name"],
  ["a source that writes nothing", { sources: [source("a", ["task"], [])] }, "sources[0].writes"],
  ["a key with a dot", { sources: [source("a", ["x.y"], ["z"])] }, "sources[0].reads[0]"],
  ["a misspelt key", { sources: [source("a", ["task"], ["z"], { read: ["x"] })] }, "sources[0].read"],
  ["a trigger of nothing", { sources: [source("a", ["task"], ["z"], { on: {} })] }, "sources[0].on"],
  ["an unknown rule", { conflicts: "best" }, "conflicts"],
])("%s is refused with its place, before anything runs", async (_what, context, place) => {
  const refused = await run({ task: "t" }, context).catch((error) => error);
  expect(refused.status).toBe(422);
  expect(refused.text ?? refused.message).toContain(place);
  expect(model.requests).toHaveLength(0);
});

test("a second run on the thread has a new board, and a fork ends differently", async () => {
  model.respond(() => ({ tokens: ["first"] }));
  const context = { sources: [source("a", ["task"], ["n"])] };
  const { thread_id } = await client.threads.create();
  const boards = async (more: object) =>
    ((await client.runs.wait(thread_id, "blackboard", { context, ...more } as object)) as never as Blackboard).board;
  expect(await boards({ input: { task: "t", board: { old: 1 } } })).toEqual({ task: "t", old: 1, n: "first" });
  const history = await client.threads.getHistory(thread_id, { limit: 20 });
  expect(await boards({ input: { task: "u" } })).toEqual({ task: "u", n: "first" });
  model.respond(() => ({ tokens: ["another"] }));
  const before = history.find(({ next }) => next[0] === "react");
  expect(await boards({ input: null, checkpoint: before?.checkpoint })).toEqual({ task: "t", old: 1, n: "another" });
});
