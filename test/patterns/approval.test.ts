import { expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();

interface React {
  steps: { action: string; observation: string }[];
  __interrupt__?: { value: { details: unknown } }[];
}

const context = { tools: ["remember"], approve: ["remember"] };
const { assistant_id: careful } = await client.assistants.create({ graphId: "react", context });
const input = { messages: [{ role: "user", content: "Remember that I like blue" }] };
const fact = { name: "colour", text: "Blue" };
const remembering = (id: string) => ({ toolCall: { id, name: "remember", args: fact } });

async function askedThread(...more: object[]): Promise<string> {
  const { thread_id: threadId } = await client.threads.create();
  model.script(remembering("call_1"), ...more, { tokens: ["As you wish."] });
  const { __interrupt__: asked } = await run(threadId, careful, { input });
  expect(asked?.[0]?.value.details).toEqual({ tool: "remember", args: fact });
  return threadId;
}

const run = async (threadId: string, assistant: string, payload: object) =>
  (await client.runs.wait(threadId, assistant, payload)) as unknown as React;

/** The ways in which clients resume. Agent Inbox sends the graph's id and no context. */
const resumers = [
  { who: "the assistant that asked", assistant: careful },
  { who: "the graph, without a context", assistant: "react" },
  { who: "the graph, with another context", assistant: "react", context: { tools: ["calculate"], approve: ["calculate"] } },
  { who: "the graph, with a context that approves nothing", assistant: "react", context: { tools: ["remember"], approve: [] } },
  { who: "the assistant, with a context that approves nothing", assistant: careful, context: { approve: [] } },
];

const refusals = [
  { resume: { approved: false }, observation: "Refused by a person." },
  { resume: [{ type: "ignore", args: null }], observation: "Refused by a person." },
  { resume: [{ type: "ignore" }], observation: "Refused by a person." },
  { resume: [{ type: "response", args: "not now" }], observation: "Refused by a person: not now" },
];
const permissions = [
  { resume: { approved: true }, observation: 'Remembered as "colour".' },
  { resume: [{ type: "accept", args: null }], observation: 'Remembered as "colour".' },
  { resume: [{ type: "accept", args: { action: "remember", args: fact } }], observation: 'Remembered as "colour".' },
  {
    resume: [{ type: "edit", args: { action: "remember", args: { name: "taste", text: "Green" } } }],
    observation: 'Remembered as "taste".',
  },
];

test.each(resumers)("an answer decides, whoever resumes: $who", async ({ assistant, context }) => {
  for (const { resume, observation } of [...refusals, ...permissions]) {
    const threadId = await askedThread();
    const { steps } = await run(threadId, assistant, { command: { resume }, context });
    expect({ resume, steps }).toMatchObject({ resume, steps: [{ action: "remember", observation }] });
  }
});

/** The resumers whose context also has the tool, so that the model can call it again. */
const offering = resumers.filter(({ assistant, context }) => assistant === careful || context?.tools?.includes("remember"));

test.each(offering)("a refused tool that the model wants again needs approval again, whoever resumes: $who", async (resumer) => {
  const { assistant, context } = resumer;
  const threadId = await askedThread(remembering("call_2"));
  const again = await run(threadId, assistant, { command: { resume: { approved: false } }, context });
  expect(again.__interrupt__?.[0]?.value.details).toEqual({ tool: "remember", args: fact });
  const { steps } = await run(threadId, assistant, { command: { resume: { approved: false } }, context });
  expect(steps.map(({ observation }) => observation)).toEqual(["Refused by a person.", "Refused by a person."]);
});

test("the next message is answered under its own run's context alone", async () => {
  const threadId = await askedThread();
  await run(threadId, careful, { command: { resume: { approved: false } } });
  model.script(remembering("call_3"), { tokens: ["Done."] });
  const { steps } = await run(threadId, "react", { input, context: { tools: ["remember"] } });
  expect(steps).toMatchObject([{ observation: 'Remembered as "colour".' }]);
});

test("what needs approval in a plan's first step needs it in the next, whoever resumes", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const steps = ["keep it", "keep it again"].map((description) => ({ description }));
  model.script(
    { json: { steps } },
    remembering("call_1"),
    { tokens: ["Refused."] },
    { json: { decision: "continue", reason: "fine" } },
    remembering("call_2"),
    { tokens: ["Refused."] },
    { tokens: ["Nothing was kept."] },
  );
  const payload = { input: { task: "Keep it" }, context };
  const answering = { command: { resume: [{ type: "ignore" }] }, context: { tools: ["remember"] } };
  for (const next of [payload, answering]) {
    const { __interrupt__: asked } = (await client.runs.wait(threadId, "plan-execute", next)) as unknown as React;
    expect(asked?.[0]?.value.details).toEqual({ tool: "remember", args: fact });
  }
  expect(await client.runs.wait(threadId, "plan-execute", answering)).toMatchObject({ answer: "Nothing was kept." });
  expect(JSON.stringify(model.requests)).not.toContain("Remembered as");
});
