import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { InMemoryStore } from "@langchain/langgraph";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { leavingRoom } from "../../graphs/agent/compaction.ts";
import { react } from "../../graphs/index.ts";
import { startModelServer } from "../model-server.ts";
import { startPatterns } from "./service.ts";

const model = await startModelServer();
vi.stubEnv("OPENAI_BASE_URL", model.baseUrl);
vi.stubEnv("OPENAI_API_KEY", "test");
beforeEach(() => model.script({ tokens: ["Done."] }));

const size = 20_000;
let calls = 0;
const bulky = tool(() => `${calls++}:`.padEnd(size, "x"), { name: "bulky", description: "Answers much", schema: z.object({}) });

/** Returns the answer of the model to each request: a tool call in each of the rounds, and a summary if one is asked for. */
function workFor(rounds: number): void {
  let done = 0;
  calls = 0;
  model.respond((messages) => {
    if (messages.includes("Fold the new messages")) return { tokens: ["A summary of it."] };
    done++;
    return done <= rounds ? { toolCall: { id: `call_${done}`, name: "bulky", args: {} } } : { tokens: ["All is read."] };
  });
}
const tokensIn = ({ messages }: (typeof model.requests)[number]) =>
  messages.reduce(
    (sum, message) => sum + String(message.content ?? "").length + JSON.stringify(Object(message).tool_calls ?? "").length,
    0,
  ) / 4;
const isFold = ({ messages }: (typeof model.requests)[number]) => JSON.stringify(messages).includes("Fold the new messages");

test.each([
  ["semantic", true],
  ["aggressive", true],
  ["minimal", true],
  ["semantic", false],
] as const)(
  "50 rounds of 20 KB stay under the limit: %s, with a store %s",
  async (compaction, hasStore) => {
    workFor(50);
    const graph = react({ tools: [bulky], contextTokens: 10_000, compaction });
    const store = new InMemoryStore();
    if (hasStore) Object.assign(graph, { store });
    const result = await graph.invoke({ messages: [new HumanMessage("Read it all")] }, { context: { tools: [], stepLimit: 50 } });
    expect(calls).toBe(50);
    expect(result.messages.at(-1)?.text).toBe("All is read.");
    expect(Math.max(...model.requests.map(tokensIn))).toBeLessThanOrEqual(10_000);
    for (const request of model.requests.filter((one) => !isFold(one))) expect(JSON.stringify(request.messages)).toContain("Read it all");
    if (hasStore) expect((await store.get(["tool-results", "none"], "call_7"))?.value.text).toHaveLength(size);
    const entries = result.ledger.filter(({ agent }) => agent === "memory");
    expect(entries).toHaveLength(model.requests.filter(isFold).length);
  },
  60_000,
);

test("a round leaves as a whole, and the last one stays", () => {
  const round = (id: string, length: number): BaseMessage[] => [
    new AIMessage({ content: "", tool_calls: [{ id, name: "bulky", args: {} }] }),
    new ToolMessage({ content: "x".repeat(length), tool_call_id: id }),
    new ToolMessage({ content: "x".repeat(length), tool_call_id: `${id}b` }),
  ];
  const messages = [new HumanMessage("Go"), ...round("a", 4_000), ...round("b", 4_000), ...round("c", 4_000)];
  const left = (tokens: number, strategy: "semantic" | "aggressive") => leavingRoom(messages, 0, 0, { tokens, strategy }).length;
  expect(left(100_000, "semantic")).toBe(0);
  expect(left(5_000, "semantic")).toBe(7);
  expect(left(8_500 / 2, "aggressive")).toBe(7);
  expect(left(100, "semantic")).toBe(7);
});

test("a long result is cut with a note, and the whole is in the store of the service", async () => {
  const { client, model: scripted } = await startPatterns();
  const { thread_id: threadId } = await client.threads.create();
  const site = createServer((_, response) => void response.writeHead(200, { "content-type": "text/plain" }).end("y".repeat(size)));
  await once(site.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void site.close());
  const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;
  vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", host);
  const long = { toolCall: { id: "call_long", name: "fetch_page", args: { url: `http://${host}/` } } };
  scripted.script(long, { tokens: ["Done."] });
  const input = { messages: [{ role: "user", content: "List them" }] };
  const { steps } = (await client.runs.wait(threadId, "react", { input, context: { tools: ["fetch_page"] } })) as unknown as {
    steps: { observation: string }[];
  };
  const place = `tool-results/${threadId}/call_long`;
  expect(steps[0]?.observation).toMatch(/\[Cut here: 8000 of 20000 characters are shown\. The store has the whole as /);
  expect(steps[0]?.observation).toContain(place);
  const kept = await client.store.getItem(["tool-results", threadId], "call_long");
  expect(kept?.value.text).toHaveLength(size);
});
