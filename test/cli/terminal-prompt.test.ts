import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { openPrompt } from "../../src/cli/terminal/person.ts";
import { openScreen } from "../../src/cli/terminal/screen.ts";
import { converse, type Session, startRun } from "../../src/cli/terminal/session.ts";
import { readableView } from "../../src/cli/terminal/view.ts";
import { openFakeTerminal } from "../fake-terminal.ts";
import { startTestService } from "../service.ts";

const { client } = await startTestService();

/** Opens a session on a new thread, with a person who types these lines. */
async function sitDown(graph: string, typed: string[]) {
  const { thread_id: threadId } = await client.threads.create({ graphId: graph });
  const terminal = openFakeTerminal();
  const screen = openScreen(terminal, {});
  const input = new PassThrough();
  const prompts = new PassThrough();
  // Types a line when its question is shown, as a person does.
  prompts.on("data", (chunk) => {
    if (!String(chunk).endsWith("> ")) return;
    const line = typed.shift();
    if (line === undefined) input.end();
    else input.write(`${line}\n`);
  });
  const session: Session = {
    client,
    graph,
    threadId,
    context: undefined,
    view: readableView(screen),
    person: openPrompt(input, prompts, screen),
    say: (sentence) => screen.line(sentence),
    leaving: new AbortController().signal,
  };
  return { session, terminal, threadId };
}

const answersOf = async (threadId: string) => (await client.threads.get(threadId)).values;

test("questions of every kind are asked at the prompt, until the run is over", async () => {
  const { session, terminal, threadId } = await sitDown("questions", ["what?", "n too early", "3", "2", "Ada"]);
  expect(await converse(session, startRun(session, { input: {} }))).toBe(0);
  expect(await answersOf(threadId)).toEqual({ answers: [{ approved: false, reason: "too early" }, "blue", "Ada"] });
  expect(terminal.lines).toEqual(
    expect.arrayContaining(["? May it be sent?", "Answer y, n or e.", "? Which one?", "  2  blue", "? What name?", "✓ write"]),
  );
});

test("what is to be approved can be edited, and an option can be named", async () => {
  const { session, threadId } = await sitDown("questions", ["e", '{"to":', '{"to":"one"}', "red", ""]);
  expect(await converse(session, startRun(session, { input: {} }))).toBe(0);
  expect(await answersOf(threadId)).toEqual({ answers: [{ approved: true, edited: { to: "one" } }, "red", ""] });
});

test("several calls in one question are approved one after another", async () => {
  const { session } = await sitDown("questions", ["y", "n too many"]);
  const details = [1, 2].map((amount) => ({ tool: "pay", args: { amount } }));
  const value = { type: "approval", prompt: "May these tools be used: pay, pay?", details, action_requests: details };
  expect(await session.person?.answer([{ id: "q", value }])).toEqual({
    q: [{ approved: true }, { approved: false, reason: "too many" }],
  });
});

test("a question in a form of its own is answered with JSON, several at once each with its own", async () => {
  const { session, threadId } = await sitDown("two-questions", ["plain words", '"x"', "7", '"one"', '"two"']);
  expect(await converse(session, startRun(session, { input: {} }))).toBe(0);
  const { answers } = (await answersOf(threadId)) as { answers: string[] };
  expect(answers.slice(0, 2).sort()).toEqual([expect.stringMatching(/^age [x7]$/), expect.stringMatching(/^name [x7]$/)]);
  expect(answers[0]?.at(-1)).not.toBe(answers[1]?.at(-1));
  expect(answers.slice(2)).toEqual(["first one", "second two"]);
});

test("what a graph inside a graph asks is answered there", async () => {
  const { session, threadId } = await sitDown("nested", ['"sure"']);
  expect(await converse(session, startRun(session, { input: { text: "you", ask: true } }))).toBe(0);
  expect(await answersOf(threadId)).toMatchObject({ text: "HELLO YOU sure" });
});

test("leaving the prompt prints the command that continues and sends no answer", async () => {
  const { session, terminal, threadId } = await sitDown("questions", ["y"]);
  expect(await converse(session, startRun(session, { input: {} }))).toBe(3);
  expect(terminal.lines).toContain(`  ensemble run questions --thread ${threadId} --resume '"red"'`);
  expect(await client.threads.get(threadId)).toMatchObject({ status: "interrupted", values: { answers: [{ approved: true }] } });
});

test("an answer that comes after another user's answer is reported as late", async () => {
  const { session, threadId } = await sitDown("review", []);
  const slowly = {
    async answer() {
      await client.runs.wait(threadId, "review", { command: { resume: { approved: true } } });
      return { late: { approved: false } };
    },
  };
  const late = converse({ ...session, person: slowly }, startRun(session, { input: { topic: "rivers" } }));
  await expect(late).rejects.toThrow("Somebody else has answered meanwhile");
  expect(await answersOf(threadId)).toMatchObject({ published: "On rivers", asked: 1 });
});

test("a run that paused at a breakpoint says how it goes on", async () => {
  const { session, terminal, threadId } = await sitDown("steps", []);
  const { run_id: runId } = await client.runs.create(threadId, "steps", { input: {}, interruptBefore: "*" });
  const parts = client.runs.joinStream(threadId, runId);
  expect(await converse(session, { threadId, runId: () => runId, parts })).toBe(3);
  expect(terminal.lines).toContain(`The run paused at a breakpoint; \`ensemble run steps --thread ${threadId}\` goes on.`);
});
