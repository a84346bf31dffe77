import { AIMessage } from "@langchain/core/messages";
import { MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { panel } from "ensemble/patterns";
import { beforeEach, expect, test } from "vitest";
import type { ScriptedReply } from "../../graphs/testing/scripted-model.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface Panel {
  result: string;
  decision: string | number | null;
  decidedBy: string | null;
  consensus: boolean;
  agreement: number;
  confidence: number;
  reasoning: string | null;
  blockedBy: string[];
  views: { expert: string; option: string | number | null; status?: string }[];
  camps: { option: string | number; experts: string[]; weight: number }[];
  dissent: { expert: string; position: string; confidence: number }[];
  agreedPoints: string[];
  disagreements: string[];
  gaps: string[];
  messages: { type: string; content: string; id: string }[];
  ledger: { agent: string; outcome: string }[];
  __interrupt__?: { value: object }[];
}
type Input = Record<string, unknown>;

let opinions: Record<string, ScriptedReply | string | (ScriptedReply | string)[]>;
let ruling: ScriptedReply;
let groups: ScriptedReply;
/** Number of requests to each expert, and the most that were open at once. */
let asked: string[];
beforeEach(() => {
  opinions = {};
  asked = [];
  ruling = { json: { winner: "A", reasoning: "It is stronger.", confidence: 0.6 } };
  groups = { json: { groups: [] } };
  model.lacks.clear();
  model.respond((messages) => {
    if (messages.includes("Write the decision on")) return { tokens: ["We ", "decide."] };
    if (messages.includes("Decide which position holds")) return ruling;
    if (messages.includes("Group these positions")) return groups;
    const name = /an expert for (\w+)/.exec(messages)?.[1] ?? "";
    asked.push(name);
    const given = opinions[name] ?? "go";
    const reply = Array.isArray(given) ? ((given.length > 1 ? given.shift() : given[0]) ?? {}) : given;
    return typeof reply === "string" ? { json: opinion(reply) } : reply;
  });
});

const opinion = (option: string | number, more: Input = {}) => ({
  option,
  position: `I say ${option}.`,
  confidence: 0.8,
  reasons: [`because of ${option}`],
  ...more,
});
const says = (option: string | number, more: Input = {}): ScriptedReply => ({ json: opinion(option, more) });
const names = ["law", "cost", "time", "risk", "taste"];
const experts = (count: number, more: Record<string, Input> = {}) =>
  names.slice(0, count).map((name) => ({ name, role: `an expert for ${name}`, ...more[name] }));
const ballot = { options: ["go", "stop"] };
const wait = (threadId: string | null, payload: object) =>
  client.runs.wait(threadId as string, "panel", payload) as Promise<unknown> as Promise<Panel>;
const run = (context: Input, input: Input = {}) => wait(null, { input: { question: "Shall we go?", ballot, ...input }, context });

test("experts answer side by side, none sees another, and the leading option by weight is the consensus", async () => {
  opinions = { risk: "stop" };
  const done = await run({ experts: experts(4) }, { material: "the plan" });
  expect(done).toMatchObject({
    decision: "go",
    decidedBy: "consensus",
    consensus: true,
    agreement: 0.75,
    confidence: 0.8,
    result: "We decide.",
  });
  expect(done.dissent).toMatchObject([{ expert: "risk", position: "I say stop." }]);
  expect(done.disagreements).toEqual(["go: law, cost, time", "stop: risk"]);
  expect(done.agreedPoints).toEqual(["because of go"]);
  expect(done.ledger.map(({ agent }) => agent).toSorted()).toEqual(["chair", "cost", "law", "risk", "time"]);
  const prompts = model.requests.slice(0, 4).map(({ messages }) => JSON.stringify(messages));
  for (const prompt of prompts) expect(prompt).toContain("the plan");
  expect(prompts.filter((prompt) => prompt.includes("I say"))).toEqual([]);
});

test("three against two is no consensus at 0.7, and is one for a majority", async () => {
  opinions = { risk: "stop", taste: "stop" };
  const split = await run({ experts: experts(5) });
  expect(split).toMatchObject({
    consensus: false,
    agreement: 0.6,
    decision: "go",
    decidedBy: "judge",
    reasoning: "It is stronger.",
    confidence: 0.6,
  });
  expect(split.dissent).toHaveLength(2);
  expect(await run({ experts: experts(5), threshold: "majority" })).toMatchObject({
    consensus: true,
    decidedBy: "consensus",
    decision: "go",
  });
  expect(await run({ experts: experts(5), threshold: "unanimous" })).toMatchObject({ consensus: false });
  const heavy = experts(5, { law: { weight: 5 } });
  expect(await run({ experts: heavy })).toMatchObject({ consensus: true, agreement: 7 / 9 });
});

test("the judge sees arguments, and not who made them", async () => {
  opinions = { risk: "stop", taste: "stop" };
  await run({ experts: experts(5) });
  const request = JSON.stringify(model.requests.find(({ messages }) => JSON.stringify(messages).includes("Decide which position holds")));
  expect(request).toContain("because of stop");
  for (const name of names) expect(request).not.toContain(`\\"${name}\\"`);
});

test("a vote counts experts, an even number needs a tie-break, and the named expert breaks the tie", async () => {
  opinions = { risk: "stop", time: "stop" };
  const context = { experts: experts(4), onSplit: "vote" };
  await expect(run(context)).rejects.toThrow("context.tieBreak: an even number of experts needs a tie-break");
  await expect(run({ ...context, tieBreak: "nobody" })).rejects.toThrow('context.tieBreak: there is no expert \\"nobody\\"');
  expect(await run({ ...context, tieBreak: "risk" })).toMatchObject({ decision: "stop", decidedBy: "vote", agreement: 0.5 });
  const odd = await run({ experts: experts(3, { time: { weight: 9 } }), onSplit: "vote", threshold: "unanimous" });
  expect(odd).toMatchObject({ decision: "go", decidedBy: "vote", reasoning: "2 of 3 experts voted for it." });
});

test("without a tie-break that helps, the judge decides a tie", async () => {
  opinions = { cost: "stop", time: "wait" };
  ruling = { json: { winner: "C", reasoning: "Time heals.", confidence: 0.5 } };
  const done = await run({ experts: experts(3), onSplit: "vote" }, { ballot: { options: ["go", "stop", "wait"] } });
  expect(done).toMatchObject({ decision: "wait", decidedBy: "judge" });
});

test("one expert that fails is a gap, and under the quorum the run fails", async () => {
  opinions = { time: { status: 400 } };
  const done = await run({ experts: experts(3) });
  expect(done).toMatchObject({
    decision: "go",
    consensus: true,
    agreement: 1,
    gaps: [expect.stringMatching(/^time gave no answer in round 0: .*400/)],
  });
  expect(done.ledger.filter(({ outcome }) => outcome === "failed").map(({ agent }) => agent)).toEqual(["time"]);
  opinions = { time: { status: 400 }, cost: { status: 400 } };
  await expect(run({ experts: experts(3) })).rejects.toThrow("1 experts answered, and 2 are needed.");
});

test("an expert that failed is asked once more, with the reason", async () => {
  opinions = { cost: [{ status: 500 }, "stop"] };
  const done = await run({ experts: experts(3, { cost: { retries: 0 } }) });
  expect(done).toMatchObject({ gaps: [], agreement: 2 / 3 });
  expect(asked.filter((name) => name === "law")).toHaveLength(1);
  const again = model.requests.findLast(({ messages }) => JSON.stringify(messages).includes("an expert for cost"));
  expect(JSON.stringify(again?.messages)).toContain("An earlier try failed:");
});

test("the same view in other words is agreement, as the judge finds", async () => {
  opinions = { law: "We should go.", cost: "Let us proceed.", time: "Do not go." };
  groups = { json: { groups: [{ position: "Go ahead", labels: ["A", "B"] }], agreed: ["It is urgent."], disputed: ["Whether to go"] } };
  const done = await run({ experts: experts(3), threshold: "majority" }, { ballot: {} });
  expect(done).toMatchObject({ consensus: true, decision: "Go ahead", agreedPoints: ["It is urgent."], disagreements: ["Whether to go"] });
  expect(done.camps.map(({ experts }) => experts)).toEqual([["law", "cost"], ["time"]]);
  groups = { status: 400 };
  const alone = await run({ experts: experts(3) }, { ballot: {} });
  expect(alone).toMatchObject({ consensus: false, gaps: [expect.stringContaining("The judge did not compare the positions")] });
  expect(alone.camps).toHaveLength(3);
});

test("on a scale, the weighted median decides, and values near it agree", async () => {
  opinions = { law: says(7), cost: says(7.5), time: says(2) };
  const scale = { min: 0, max: 10 };
  const done = await run({ experts: experts(3), threshold: "majority" }, { ballot: { scale } });
  expect(done).toMatchObject({ decision: 7, consensus: true, agreement: 2 / 3 });
  await expect(run({ experts: experts(3) }, { ballot: { scale, options: ["a", "b"] } })).rejects.toThrow("422");
});

test("a veto blocks, and only a person overrules it", async () => {
  opinions = { law: says("go", { veto: "It is illegal." }) };
  const context = { experts: experts(3, { law: { veto: true } }) };
  const blocked = await run(context);
  expect(blocked).toMatchObject({ consensus: false, agreement: 1, decision: null, decidedBy: "veto", blockedBy: ["law: It is illegal."] });
  expect(blocked.ledger.map(({ agent }) => agent)).not.toContain("judge");
  const { thread_id: threadId } = await client.threads.create();
  const question = await wait(threadId, { input: { question: "Shall we go?", ballot }, context: { ...context, onSplit: "human" } });
  expect(question.__interrupt__).toMatchObject([
    { value: { type: "selection", options: ["go", "stop", "no decision"], prompt: expect.stringContaining("illegal") } },
  ]);
  const decided = await wait(threadId, { command: { resume: "go" } });
  expect(decided).toMatchObject({ decision: "go", decidedBy: "human", confidence: 1 });
  expect(asked).toHaveLength(6);
});

test("each field has a status when asked, and a red one can block", async () => {
  opinions = { law: says("go", { status: "green" }), cost: says("go", { status: "yellow" }), time: says("go", { status: "red" }) };
  const context = { experts: experts(3), status: true };
  const done = await run(context);
  expect(done.views.map(({ status }) => status)).toEqual(["green", "yellow", "red"]);
  expect(done.consensus).toBe(true);
  expect(await run({ ...context, redBlocks: true })).toMatchObject({ decidedBy: "veto", blockedBy: ["time: status red"] });
});

test("a split can be debated, and more experts than may work at once go in waves", async () => {
  opinions = { cost: ["stop", says("go", { move: "concede", because: "law is right" })] };
  for (const name of ["law", "time"]) opinions[name] = ["go", says("go", { move: "keep" })];
  const done = await run({ experts: experts(3), onSplit: "debate", threshold: "unanimous", limits: { parallel: 2 } });
  expect(done).toMatchObject({
    consensus: true,
    decision: "go",
    moves: [{ expert: "cost", from: "stop", to: "go", because: "law is right" }],
  });
  expect(asked).toEqual(["law", "cost", "time", "law", "cost", "time"]);
});

test("messages go in, the decision comes out as a message, and only its tokens are streamed", async () => {
  const payload = { input: { messages: [{ role: "user", content: "Go?" }], ballot }, streamMode: ["messages-tuple", "values", "custom"] };
  const stream = client.runs.stream(null, "panel", payload as never) as AsyncIterable<{ event: string; data: unknown }>;
  const events = await collect(stream);
  const spoken = events.filter(({ event }) => event === "messages").map(({ data }) => (data as [{ content: string; id: string }])[0]);
  expect(spoken.map(({ content }) => content).filter(Boolean)).toEqual(["We ", "decide."]);
  const { messages } = Object(events.findLast(({ event }) => event === "values")?.data) as Panel;
  expect(messages.map(({ content }) => content)).toEqual(["Go?", "We decide."]);
  expect(messages.at(-1)?.id).toBe(spoken.at(-1)?.id);
  const told = events.filter(({ event }) => event === "custom").map(({ data }) => (data as { type: string }).type);
  expect(told).toEqual(["opinion", "opinion", "opinion", "check"]);
});

test("a chair that fails does not cost the decision", async () => {
  model.respond((messages) => (messages.includes("Write the decision on") ? { status: 400 } : says("go")));
  const done = await run({ experts: experts(3) });
  expect(done).toMatchObject({
    decision: "go",
    result: "Decision: go (by consensus, agreement 100 %).",
    gaps: [expect.stringContaining("The chair")],
  });
});

test("the budget ends it before the ruling, with the heaviest camp as decision", async () => {
  opinions = { time: "stop" };
  const done = await run({ experts: experts(3), budget: { tokens: 6 } });
  expect(done).toMatchObject({
    consensus: false,
    decision: "go",
    decidedBy: "count",
    result: expect.stringMatching(/^Decision: go \(by count/),
  });
  expect(done.ledger).toHaveLength(3);
});

test("in code, experts bring tools and vetoes or are graphs, and options are defaults of the context", async () => {
  const oracle = new StateGraph(MessagesAnnotation)
    .addNode("speak", () => ({ messages: [new AIMessage(JSON.stringify(opinion("stop")))] }))
    .addEdge(START, "speak")
    .compile({ name: "oracle" });
  opinions = { law: says("go", { veto: "It is illegal." }) };
  const members = [{ ...experts(1)[0], name: "law", role: "an expert for law", veto: true }, ...experts(3).slice(1), oracle];
  const done = await panel({ experts: members, threshold: "majority" }).invoke({ question: "Shall we go?", ballot });
  expect(done).toMatchObject({ decidedBy: "veto", agreement: 0.75, blockedBy: ["law: It is illegal."] });
  const twins = ["a", "b", "c"].map((name) => ({ name, role: "an expert" }));
  expect(() => panel({ experts: twins })).toThrow('experts.1.role: there is another expert with the role "an expert"');
});

test("a fork before the ruling ends differently, and the first decision stays", async () => {
  opinions = { cost: "stop" };
  const { thread_id: threadId } = await client.threads.create();
  const context = { experts: experts(3) };
  expect(await wait(threadId, { input: { question: "Shall we go?", ballot }, context })).toMatchObject({
    decision: "go",
    decidedBy: "judge",
  });
  const history = await client.threads.getHistory<Panel>(threadId, { limit: 20 });
  const before = history.find(({ next }) => next.includes("decide"));
  ruling = { json: { winner: "B", reasoning: "It is safer.", confidence: 0.9 } };
  const forked = await wait(threadId, { input: null, checkpointId: before?.checkpoint.checkpoint_id });
  expect(forked).toMatchObject({ decision: "stop", reasoning: "It is safer." });
  const first = await client.threads.getState<Panel>(threadId, history[0]?.checkpoint.checkpoint_id ?? "");
  expect(first.values).toMatchObject({ decision: "go" });
});
