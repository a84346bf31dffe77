import { beforeEach, expect, test } from "vitest";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script());

interface React {
  messages: { type: string; content: string }[];
  steps: { action: string; observation: string }[];
  ledger: { agent: string }[];
}

const call = (name: string, task: string) => ({ toolCall: { id: `call_${task}`, name, args: { task } } });
const ask = (tools: string[], assistant = "react") =>
  client.runs.wait(null, assistant, {
    input: { messages: [{ role: "user", content: "Write on rivers" }] },
    context: { tools },
  } as object) as Promise<unknown> as Promise<React>;

test("an agent gives a task to another graph, whose model calls are in its ledger", async () => {
  model.respond((messages) => {
    if (messages.includes("Judge this draft")) return { json: { valid: true, score: 1, problems: [] } };
    if (messages.includes("a careful writer")) return { tokens: ["Rivers bend."] };
    return messages.includes("tool_call_id") ? { tokens: ["Here it is: Rivers bend."] } : call("graph__reflect", "two sentences on rivers");
  });
  const { messages, steps, ledger } = await ask(["graph:reflect"]);
  expect(messages.at(-1)?.content).toBe("Here it is: Rivers bend.");
  expect(steps).toMatchObject([{ action: "graph__reflect", observation: "Rivers bend." }]);
  expect(ledger.map(({ agent }) => agent)).toEqual(["react", "writer", "critic", "react"]);
});

test("a graph may not call itself", async () => {
  model.respond((messages) => (messages.includes("tool_call_id") ? { tokens: ["Then not."] } : call("graph__react", "again")));
  const { steps } = await ask(["graph:react"]);
  expect(steps[0]?.observation).toContain('"react" may not call itself');
});

test("an unknown graph is refused with the names that there are", async () => {
  await expect(ask(["graph:nothing"])).rejects.toThrow(/there is no tool .*graph:nothing.*graph:reflect/);
});
