import { beforeEach, expect, test } from "vitest";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface PlanExecute {
  plan: { description: string; status: string; tries: number; result: string | null }[];
  revisions: { reason: string; before: string[]; after: string[] }[];
  answer: string;
  gaps: string[];
  ledger: { agent: string; outcome: string }[];
  __interrupt__?: { value: { prompt: string } }[];
}

interface Message {
  id: string;
  type: string;
  content: string;
}

const steps = (...descriptions: string[]) => descriptions.map((description) => ({ description }));
const plan = (...descriptions: string[]) => ({ json: { steps: steps(...descriptions) } });
const said = (text: string) => ({ tokens: [text] });
const decide = (decision: string, reason: string, ...next: string[]) => ({ json: { decision, reason, steps: steps(...next) } });
const answer = said;
/** A server that is down for a whole call, retries included. */
const down = Array.from({ length: 3 }, () => ({ status: 500 }));
const run = (payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "plan-execute", payload) as Promise<unknown> as Promise<PlanExecute>;

test("it plans, does each step with the results before it, and answers", async () => {
  model.script(plan("find a", "find b"), said("a is 1"), decide("continue", "fine"), said("b is 2"), answer("a and b are 1 and 2"));
  const result = await run({ input: { task: "Find a and b" } });
  expect(result.answer).toBe("a and b are 1 and 2");
  expect(result.plan).toMatchObject([
    { description: "find a", status: "done", result: "a is 1" },
    { description: "find b", status: "done", result: "b is 2" },
  ]);
  expect(JSON.stringify(model.requests[3]?.messages)).toContain("a is 1");
  expect(result.ledger.map(({ agent }) => agent)).toEqual(["planner", "react", "planner", "react", "planner"]);
});

test("the plan is revised, and the reason kept", async () => {
  model.script(plan("one", "two"), said("one done"), decide("revise", "two is pointless", "three"), said("three done"), answer("done"));
  const { plan: finished, revisions } = await run({ input: { task: "Do" } });
  expect(finished.map(({ description }) => description)).toEqual(["one", "three"]);
  expect(revisions).toEqual([{ reason: "two is pointless", before: ["two"], after: ["three"] }]);
});

test("it finishes early when there is enough", async () => {
  model.script(plan("one", "two", "three"), said("all is clear"), decide("finish", "nothing more is needed"), answer("clear"));
  const { plan: left, answer: said_ } = await run({ input: { task: "Do" } });
  expect(said_).toBe("clear");
  expect(left.map(({ status }) => status)).toEqual(["done", "pending", "pending"]);
});

test("a step that fails twice forces a change, and is named among the gaps", async () => {
  model.script(
    plan("impossible", "other"),
    ...down,
    ...down,
    decide("revise", "it cannot be done", "other"),
    said("other done"),
    answer("partly"),
  );
  const { plan: tried, revisions, gaps, ledger } = await run({ input: { task: "Do" } });
  expect(tried).toMatchObject([
    { description: "impossible", status: "failed", tries: 2 },
    { description: "other", status: "done" },
  ]);
  expect(revisions).toHaveLength(1);
  expect(gaps).toEqual([expect.stringContaining("impossible: ")]);
  expect(ledger.map(({ agent, outcome }) => `${agent} ${outcome}`)).toEqual([
    "planner success",
    "react failed",
    "react failed",
    "planner success",
    "react success",
    "planner success",
  ]);
});

test("a step that failed is tried again with the reason, and not asked about", async () => {
  model.script(plan("one"), ...down, said("one done"), answer("done"));
  const { plan: finished, gaps } = await run({ input: { task: "Do" } });
  expect(finished).toMatchObject([{ status: "done", tries: 2, result: "one done" }]);
  expect(gaps).toEqual([]);
  expect(JSON.stringify(model.requests[4]?.messages)).toContain("scripted refusal");
});

test("a step that a refused request fails is not tried again, and the planner may not go on as before", async () => {
  model.script(plan("one", "two"), { status: 400 }, decide("continue", "why not"), decide("finish", "hopeless"), answer("no"));
  const { plan: left, revisions } = await run({ input: { task: "Do" } });
  expect(left.map(({ status }) => status)).toEqual(["failed", "pending"]);
  expect(revisions).toEqual([{ reason: "hopeless", before: ["two"], after: [] }]);
});

test("a step that stopped at its limit of rounds is not done", async () => {
  const call = { toolCall: { id: "call_1", name: "now", args: {} } };
  const stopping = [call, said("as far as I came")];
  model.script(plan("one"), ...stopping, ...stopping, decide("finish", "hopeless"), answer("nothing"));
  const { plan: tried, gaps } = await run({ input: { task: "Do" }, context: { stepLimit: 1 } });
  expect(tried).toMatchObject([{ status: "failed", tries: 2 }]);
  expect(gaps).toEqual(["one: Not done (step_limit). So far: as far as I came"]);
});

test("a planner that fails to reconsider is in the ledger, and the plan goes on", async () => {
  model.script(plan("one", "two"), said("one done"), { status: 400 }, said("two done"), answer("done"));
  const { answer: given, ledger } = await run({ input: { task: "Do" } });
  expect(given).toBe("done");
  expect(ledger.map(({ outcome }) => outcome)).toEqual(["success", "success", "failed", "success", "success"]);
});

test("the plan is revised three times at most", async () => {
  let asked = 0;
  model.respond((messages) => {
    if (messages.includes("Plan how to do this")) return plan("one", "two");
    if (messages.includes("Reconsider the plan"))
      return ++asked > 3 ? decide("continue", "fine") : decide("revise", "better", "one", "two");
    return messages.includes("Answer the task") ? answer("done") : said("done");
  });
  const { plan: finished, revisions } = await run({ input: { task: "Do" } });
  expect(revisions).toHaveLength(3);
  expect(finished.map(({ status }) => status)).toEqual(Array(5).fill("done"));
  const formats = model.requests.flatMap(({ response_format: format }) => (JSON.stringify(format)?.includes("decision") ? [format] : []));
  expect(formats.map((format) => JSON.stringify(format).includes('"enum":["continue","finish"]'))).toEqual([false, false, false, true]);
});

test("messages go in and come out: followers read the answer as it is written, and nothing else", async () => {
  const call = { toolCall: { id: "call_1", name: "now", args: {} } };
  model.script(plan("one"), call, said("one done"), { tokens: ["all ", "done"] });
  const input = { messages: [{ role: "user", content: "Find a" }] };
  const events = await collect(client.runs.stream(null, "plan-execute", { input, streamMode: ["messages-tuple", "values"] }));
  const told = events.filter(({ event }) => event === "messages").map(({ data }) => (data as unknown as [Message])[0]);
  expect(told.map(({ content }) => content).join("")).toBe("all done");
  const { messages } = Object(events.at(-1)?.data) as { messages: Message[] };
  expect(messages).toMatchObject([
    { type: "human", content: "Find a" },
    { type: "ai", content: "all done" },
  ]);
  expect(new Set(told.map(({ id }) => id))).toEqual(new Set([messages[1]?.id]));
});

test("a step can ask a person, and the plan waits for the answer", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const context = { tools: ["ask_human"] };
  const question = { toolCall: { id: "call_1", name: "ask_human", args: { question: "Which colour?" } } };
  model.script(plan("choose"), question, said("Blue, as the person said."), answer("blue"));
  const asked = await run({ input: { task: "Choose" }, context }, threadId);
  expect(asked.__interrupt__?.[0]?.value.prompt).toBe("Which colour?");
  const { answer: chosen } = await run({ command: { resume: "blue" }, context }, threadId);
  expect(chosen).toBe("blue");
  expect(JSON.stringify(model.requests.at(-2)?.messages)).toContain("blue");
  expect(model.requests).toHaveLength(4);
});

test("an empty task is refused, and so is a plan without steps", async () => {
  await expect(run({ input: { task: "  " } })).rejects.toThrow();
  expect(model.requests).toHaveLength(0);
  model.script({ json: { steps: [] } });
  await expect(run({ input: { task: "Do" } })).rejects.toThrow("The planner failed: It does not fit the schema");
});

test("results longer than a prompt may be are reconsidered and answered from", async () => {
  model.script(plan("one", "two"), said("word ".repeat(600)), decide("continue", "fine"), said("two done"), answer("both"));
  expect((await run({ input: { task: "Do" } })).answer).toBe("both");
});

test("a plan of as many steps as there may be comes to its end, unless the caller stops it before", async () => {
  const twelve = Array.from({ length: 12 }, (_, n) => `step ${n}`);
  model.respond((messages) => {
    if (messages.includes("Plan how to do this")) return plan(...twelve);
    if (messages.includes("Reconsider the plan")) return decide("continue", "fine");
    return messages.includes("Answer the task") ? answer("all done") : said("done");
  });
  const { plan: finished } = await run({ input: { task: "Do" } });
  expect(finished.map(({ status }) => status)).toEqual(twelve.map(() => "done"));
  await expect(run({ input: { task: "Do" }, config: { recursion_limit: 10 } })).rejects.toThrow("Recursion limit of 10");
});

test("a step has as many rounds of tools as its limit says", async () => {
  const rounds = Array.from({ length: 15 }, (_, n) => ({ toolCall: { id: `call_${n}`, name: "now", args: {} } }));
  model.script(plan("one"), ...rounds, said("done at last"), answer("done"));
  const { plan: finished } = await run({ input: { task: "Do" }, context: { stepLimit: 15 } });
  expect(finished).toMatchObject([{ status: "done", tries: 1, result: "done at last" }]);
});

// Every answer of the model costs two tokens, and every tool call costs one.
const tool = (id: string) => ({ toolCall: { id, name: "now", args: {} } });

test("a budget that is used up within a step ends the run, and the step is not tried again", async () => {
  model.script(plan("one"), tool("call_1"), tool("call_2"), said("never"));
  const spent = run({ input: { task: "Do" }, context: { budget: { tokens: 4 } } });
  await expect(spent).rejects.toThrow("BudgetExceededError: The run has used 4 tokens of its budget of 4");
  expect(model.requests).toHaveLength(3);
});

test.each([
  ["reconsidered", 4, [plan("one", "two"), said("one done")]],
  ["answered from", 4, [plan("one"), said("one done")]],
])("nothing is %s once the budget is used up", async (_what, tokens, script) => {
  model.script(...script, decide("continue", "never"));
  await expect(run({ input: { task: "Do" }, context: { budget: { tokens } } })).rejects.toThrow("BudgetExceededError");
  expect(model.requests).toHaveLength(2);
});

test("what a step has cost counts, though it failed", async () => {
  model.script(plan("one"), tool("call_1"), ...down, said("one done"), answer("done"));
  const { ledger, plan: tried } = await run({ input: { task: "Do" } });
  expect(tried[0]).toMatchObject({ status: "done", tries: 2 });
  expect(ledger.map(({ agent }) => agent)).toEqual(["planner", "react", "react", "react", "planner"]);
});
