import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface Chat {
  result: string | null;
  stopReason: string | null;
  speaker: string;
  turns: number;
  notes: string[];
  messages: { type: string; name?: string; content: string; id: string }[];
  ledger: { agent: string; outcome: string }[];
}

const says = (text: string) => ({ tokens: [text] });
const run = (input: object, context: object = {}, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "group-chat", { input, context }) as Promise<unknown> as Promise<Chat>;

test("planner, executor and reviewer take turns until the reviewer approves", async () => {
  model.script(says("Two lines."), says("Rivers bend."), says("Too short."), says("Add one."), says("Rivers bend a lot."), says("APPROVED"));
  const { result, stopReason, turns, messages, ledger } = await run({ task: "Write on rivers" });
  expect({ result, stopReason, turns }).toEqual({ result: "APPROVED", stopReason: 'text "APPROVED"', turns: 6 });
  const names = ["planner", "executor", "reviewer", "planner", "executor", "reviewer"];
  expect(messages.slice(1).map(({ name }) => name)).toEqual(names);
  expect(ledger.map(({ agent }) => agent)).toEqual(names);
  expect(JSON.stringify(model.requests[1]?.messages)).toContain("planner: Two lines.");
});
