import { debate } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface View {
  expert: string;
  option: string;
  stale?: boolean;
}
interface Debate {
  result: string;
  decision: string | null;
  decidedBy: string | null;
  consensus: boolean;
  stopped: string;
  rounds: View[][];
  moves: { round: number; expert: string; move: string; from: string; to: string; because: string }[];
  dissent: View[];
  gaps: string[];
  ledger: { agent: string; attempts: number }[];
  __interrupt__?: { value: object }[];
}
type Input = Record<string, unknown>;

const opinion = (option: string, more: Input = {}) => ({
  option,
  position: `I say ${option}.`,
  confidence: 0.8,
  reasons: [`because of ${option}`],
  ...more,
});
const first = (option: string): ScriptedReply => ({ json: opinion(option) });
const keep = (option: string): ScriptedReply => ({ json: opinion(option, { move: "keep" }) });
const concede = (option: string, because = "the other is right"): ScriptedReply => ({
  json: opinion(option, { move: "concede", because }),
});

/** The answers of each expert, one for each round. The last one is repeated. */
let lines: Record<string, ScriptedReply[]>;
let ruling: ScriptedReply;
beforeEach(() => {
  ruling = { json: { winner: "B", reasoning: "It is stronger.", confidence: 0.6 } };
  model.respond((messages) => {
    if (messages.includes("Write the decision on")) return { tokens: ["Decided."] };
    if (messages.includes("Decide which position holds")) return ruling;
    const replies = lines[/an expert for (\w+)/.exec(messages)?.[1] ?? ""] ?? [];
    return (replies.length > 1 ? replies.shift() : replies[0]) ?? { status: 400 };
  });
});

const experts = ["law", "cost", "time"].map((name) => ({ name, role: `an expert for ${name}` }));
const input = { question: "Shall we go?", ballot: { options: ["go", "stop"] } };
const wait = (threadId: string | null, payload: object) =>
  client.runs.wait(threadId as string, "debate", payload) as Promise<unknown> as Promise<Debate>;
const run = (context: Input = {}) => wait(null, { input, context: { experts, ...context } });
const optionsOf = ({ rounds }: Debate) => rounds.map((views) => views.map(({ option }) => option).join(" "));
const requestsTo = (name: string) => model.requests.filter(({ messages }) => JSON.stringify(messages).includes(`an expert for ${name}`));

test("experts read each other's arguments under letters, and a consensus in round 2 makes no round 3", async () => {
  lines = {
    law: [first("go"), keep("go")],
    cost: [first("stop"), keep("stop"), concede("go", "the law allows it")],
    time: [first("stop"), concede("go", "there is time")],
  };
  const done = await run();
  expect(done).toMatchObject({
    stopped: "consensus",
    consensus: true,
    decision: "go",
    decidedBy: "consensus",
    dissent: [],
    result: "Decided.",
  });
  expect(optionsOf(done)).toEqual(["go stop stop", "go stop go", "go go go"]);
  expect(done.moves).toEqual([
    { round: 1, expert: "time", move: "concede", from: "stop", to: "go", because: "there is time" },
    { round: 2, expert: "cost", move: "concede", from: "stop", to: "go", because: "the law allows it" },
  ]);
  expect(model.requests).toHaveLength(10);
  const reply = JSON.stringify(requestsTo("law")[1]?.messages);
  expect(reply).toContain('\\"others\\":{\\"B\\":{\\"option\\":\\"stop\\"');
  expect(reply).not.toContain("cost");
});

test("names are shown when the context says so", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("stop"), keep("stop")] };
  await run({ named: true });
  expect(JSON.stringify(requestsTo("law")[1]?.messages)).toContain('\\"others\\":{\\"cost\\":');
});

test("a round in which nobody moves is a stalemate, and the judge rules", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("stop"), keep("stop")] };
  const done = await run();
  expect(done).toMatchObject({ stopped: "stalemate", consensus: false, decision: "stop", decidedBy: "judge", moves: [] });
  expect(done.rounds).toHaveLength(2);
  expect(done.dissent).toMatchObject([{ expert: "law" }]);
});

test("two who swap their positions do not agree, and the rounds end it", async () => {
  lines = {
    law: [first("go"), concede("stop"), concede("go"), concede("stop")],
    cost: [first("stop"), concede("go"), concede("stop"), concede("go")],
  };
  const done = await run({ experts: experts.slice(0, 2), rounds: 2 });
  expect(done).toMatchObject({ stopped: "rounds", consensus: false, decidedBy: "judge" });
  expect(optionsOf(done)).toEqual(["go stop", "stop go", "go stop"]);
  expect(done.moves).toHaveLength(4);
});

test("an expert that fails in round 2 keeps its view of round 1, marked as stale", async () => {
  lines = {
    law: [first("go"), concede("stop"), { status: 400 }],
    cost: [first("stop"), keep("stop"), concede("go")],
    time: [first("go"), keep("go")],
  };
  const done = await run({ rounds: 2 });
  expect(optionsOf(done)).toEqual(["go stop go", "stop stop go", "stop go go"]);
  expect(done.rounds[2]?.map(({ stale }) => stale)).toEqual([true, undefined, undefined]);
  expect(done.gaps).toEqual([expect.stringMatching(/^law gave no answer in round 2: /)]);
});

test("a concession without a reason is sent back", async () => {
  lines = {
    law: [first("go"), keep("go")],
    cost: [first("stop"), concede("go", ""), concede("go", "the law")],
    time: [first("go"), keep("go")],
  };
  const done = await run({ threshold: "unanimous" });
  expect(done).toMatchObject({ consensus: true, moves: [{ expert: "cost", because: "the law" }] });
  expect(done.ledger.filter(({ agent }) => agent === "cost").map(({ attempts }) => attempts)).toEqual([1, 2]);
  expect(JSON.stringify(requestsTo("cost").at(-1)?.messages)).toContain("say which argument moved you");
});

test("a budget that ends between rounds leaves the best state", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("go"), concede("stop")] };
  const done = await run({ budget: { tokens: 12 } });
  expect(done).toMatchObject({ stopped: "budget", decision: "stop", decidedBy: "count", consensus: false });
  expect(optionsOf(done)).toEqual(["go stop go", "go stop stop"]);
  expect(done.ledger).toHaveLength(6);
});

test("a person can rule, and a person who does not answer leaves the decision to the heaviest camp", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("stop"), keep("stop")] };
  const { thread_id: threadId } = await client.threads.create();
  const asked = await wait(threadId, { input, context: { experts, ruling: "human" } });
  expect(asked.__interrupt__).toMatchObject([{ value: { type: "selection", options: ["stop", "go", "no decision"] } }]);
  expect(await wait(threadId, { command: { resume: "go" } })).toMatchObject({ decision: "go", decidedBy: "human", result: "Decided." });
  expect(model.requests).toHaveLength(7);
  const { thread_id: other } = await client.threads.create();
  await wait(other, { input, context: { experts, ruling: "human", askTimeoutSeconds: 0.1 } });
  const values = async () => (await client.threads.getState<Debate>(other)).values;
  await expect.poll(async () => (await values()).decidedBy).toBe("count");
  await expect.poll(async () => (await values()).result).toBe("Decided.");
  expect(await values()).toMatchObject({ decision: "stop", gaps: ["Nobody answered within 0.1 s."] });
});

test("a fork from round 1 gives another ending, and the first stays", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("stop"), keep("stop")] };
  const { thread_id: threadId } = await client.threads.create();
  expect(await wait(threadId, { input, context: { experts } })).toMatchObject({ stopped: "stalemate", decision: "stop" });
  const history = await client.threads.getHistory<Debate & { round: number }>(threadId, { limit: 50 });
  const round = history.find(({ next, values }) => next.includes("rebut") && values.round === 1);
  lines = { law: [keep("go")], cost: [concede("go")], time: [concede("go")] };
  const forked = await wait(threadId, { input: null, checkpointId: round?.checkpoint.checkpoint_id });
  expect(forked).toMatchObject({ stopped: "consensus", decision: "go" });
  const before = await client.threads.getState<Debate>(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(before.values).toMatchObject({ stopped: "stalemate", decision: "stop" });
});

test("a veto that is withdrawn in a round lets the others agree", async () => {
  const veto = (why: string | null, more: Input = {}): ScriptedReply => ({ json: opinion("go", { veto: why, ...more }) });
  lines = {
    law: [veto("Not with that licence."), veto(null, { move: "amend", because: "the licence is free" })],
    cost: [first("go"), keep("go")],
    time: [first("go"), keep("go")],
  };
  const done = await run({ experts: experts.map((one) => ({ ...one, veto: one.name === "law" })) });
  expect(done).toMatchObject({ stopped: "consensus", decision: "go", moves: [{ expert: "law", because: "the licence is free" }] });
  expect(done.rounds).toHaveLength(2);
});

test("in code, debaters are options of agents, and options are defaults of the context", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")] };
  const done = await debate({ experts: experts.slice(0, 2), rounds: 1, ruling: "vote", tieBreak: "cost" }).invoke(input);
  expect(done).toMatchObject({ decision: "stop", decidedBy: "vote", stopped: "stalemate" });
  expect(() => debate({ rounds: 9 })).toThrow("rounds");
});

test("a judge that fails leaves the decision to the heaviest camp, and a debate without statements fails", async () => {
  lines = { law: [first("go"), keep("go")], cost: [first("stop"), keep("stop")], time: [first("stop"), keep("stop")] };
  ruling = { status: 400 };
  expect(await run()).toMatchObject({ decision: "stop", decidedBy: "count", gaps: [expect.stringContaining("The judge gave no ruling")] });
  lines = {};
  await expect(run()).rejects.toThrow("0 experts answered, and 2 are needed. law gave no answer in round 0");
});
