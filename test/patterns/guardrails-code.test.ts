import { HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { MemorySaver } from "@langchain/langgraph";
import { beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { agent, type GuardrailsInCode, pipeline, react } from "../../graphs/index.ts";
import { startModelServer } from "../model-server.ts";

const model = await startModelServer();
vi.stubEnv("OPENAI_BASE_URL", model.baseUrl);
vi.stubEnv("OPENAI_API_KEY", "test");
beforeEach(() => model.script({ tokens: ["Done."] }));

const stages = [{ name: "one", do: { agent: "guarded" } }];
const run = async (guardrails: GuardrailsInCode, more: Partial<Parameters<typeof agent>[0]> = {}, task = "Say it") =>
  pipeline({ stages, agents: [agent({ name: "guarded", role: "a writer", guardrails, ...more })] }).invoke({ task });
const sentTo = (request: number) => JSON.stringify(model.requests[request]?.messages);

test("a function refuses an input, or replaces it", async () => {
  const guardrails = { input: [(text: unknown) => ({ ok: !String(text).includes("secret"), reason: "No secrets." })] };
  const { status, error } = await run(guardrails, {}, "a secret");
  expect({ status, error }).toEqual({
    status: "stopped",
    error: expect.stringContaining('The guardrail "function" refused the input: No secrets.'),
  });
  expect(model.requests).toHaveLength(0);
  await run(
    {
      input: [
        function softer(text) {
          return { ok: true, value: String(text).replace("shout", "say") };
        },
      ],
    },
    {},
    "shout it",
  );
  expect(sentTo(0)).toContain("say it");
});

test("an answer that a function refuses goes back to the model with the reason, until it passes or fails", async () => {
  const isPolite = async (text: unknown) => ({ ok: String(text).includes("please"), reason: "Say please." });
  model.script({ tokens: ["Go."] }, { tokens: ["Go, please."] });
  expect((await run({ output: [isPolite] })).output).toBe("Go, please.");
  expect(sentTo(1)).toContain("That answer cannot be used: Say please.");
  model.script({ tokens: ["Go."] });
  const { error } = await run({ output: [isPolite], maxRetries: 1 });
  expect(error).toContain('The guardrail "isPolite" refused the output: Say please.');
  expect(model.requests).toHaveLength(2);
});

test("a function changes a structured answer, which must still fit the schema", async () => {
  const output = z.object({ priority: z.enum(["low", "high"]) });
  const change = (priority: unknown) => [() => ({ ok: true, value: { priority } })];
  model.script({ json: { priority: "low" } });
  expect((await run({ output: change("high") }, { output })).output).toEqual({ priority: "high" });
  expect((await run({ output: change("urgent") }, { output })).error).toContain("The replaced answer does not fit");
});

test("a function that throws, or answers nothing, blocks the value", async () => {
  const broken = () => {
    throw new Error("no connection");
  };
  expect((await run({ output: [broken] })).error).toContain('The guardrail "broken" refused the output: The check failed: no connection');
  expect((await run({ input: [(() => undefined) as never] })).error).toContain("The check failed");
});

test("a function guards the arguments, the result and the error of a tool", async () => {
  const seen: unknown[] = [];
  const look = (value: unknown) => {
    seen.push(value);
    return { ok: !String(value).includes("password") };
  };
  const login = tool(
    ({ user }) => {
      if (user === "eve") throw new Error("wrong password 1234");
      return `${user} is in`;
    },
    { name: "login", description: "Logs in", schema: z.object({ user: z.string() }) },
  );
  const call = (user: string) => ({ toolCall: { id: `call_${user}`, name: "login", args: { user } } });
  model.script(call("ada"), call("eve"), { tokens: ["So."] });
  await run({ tool: { login: [look] } }, { tools: [login] });
  expect(seen).toEqual([{ user: "ada" }, "ada is in", { user: "eve" }, expect.stringContaining("wrong password")]);
  expect(model.requests[1]?.messages.at(-1)?.content).toBe("ada is in");
  expect(model.requests[2]?.messages.at(-1)?.content).toBe('Error: The guardrail "look" refused the login: It was refused.');
});

const talk = (last: string) => ["One", "Two", "Three", "Four", last].map((text) => new HumanMessage(text));

test("personal data in the last of five messages ends the run before the first call", async () => {
  const graph = react({ guardrails: { input: [{ kind: "pii" }] } });
  await expect(graph.invoke({ messages: talk("Write to ada@example.org") })).rejects.toThrow("It has personal data.");
  expect(model.requests).toHaveLength(0);
});

test("personal data that is replaced in a conversation is replaced on the thread too", async () => {
  const graph = react({ guardrails: { input: [{ kind: "pii", onFail: { replace: "[mail]" } }] } });
  Object.assign(graph, { checkpointer: new MemorySaver() });
  const config = { configurable: { thread_id: "t" } };
  const { messages } = await graph.invoke({ messages: talk("Write to ada@example.org") }, config);
  expect(messages.map(({ text }) => text)).toEqual(["One", "Two", "Three", "Four", "Write to [mail]", "Done."]);
  expect(sentTo(0)).toContain("Write to [mail]");
  expect(JSON.stringify((await graph.getState(config)).values)).not.toContain("example.org");
});

test("a wrong guard in code is an error when the agent is made, and names its place", () => {
  expect(() => agent({ name: "a", role: "r", guardrails: { output: [() => ({ ok: true }), { kind: "pi" } as never] } })).toThrow(/output/);
});
