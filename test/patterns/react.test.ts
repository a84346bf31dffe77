import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { fetchPage } from "../../graphs/agent/fetch-page.ts";
import { until } from "../command.ts";
import { collect } from "../sse.ts";
import { startPatterns } from "./service.ts";

const { client, model } = await startPatterns();
beforeEach(() => model.script({ tokens: ["Done."] }));

interface React {
  messages: { type: string; content: string; tool_calls?: unknown[] }[];
  steps: { thought: string; action: string; input: unknown; observation: string }[];
  stopped: string | null;
  ledger: { agent: string; outcome: string }[];
  summary: string;
  __interrupt__: { value: Record<string, unknown> }[];
}

const ask = (content: string) => ({ input: { messages: [{ role: "user", content }] } });
const call = (name: string, args: unknown, id = `call_${crypto.randomUUID().slice(0, 8)}`) => ({ toolCall: { id, name, args } });
const run = (payload: object, threadId: string | null = null) =>
  client.runs.wait(threadId as string, "react", payload) as Promise<unknown> as Promise<React>;

async function startSite(answer: (url: string | undefined, response: ServerResponse) => void) {
  const hits: (string | undefined)[] = [];
  const site = createServer(({ url }, response) => {
    hits.push(url);
    answer(url, response.setHeader("content-type", "text/html"));
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void site.close());
  return { hits, host: `127.0.0.1:${(site.address() as AddressInfo).port}` };
}

/** Returns what the model sees of a page through fetch_page, when the operator allows these hosts. */
async function observe(url: string, allowedHosts: string[]) {
  vi.stubEnv("ENSEMBLE_PATTERN_HOSTS", allowedHosts.join(","));
  model.script(call("fetch_page", { url }), { tokens: ["ok"] });
  const { steps } = await run({ ...ask("Read"), context: { tools: ["fetch_page"] } });
  return steps[0]?.observation;
}

test("it uses a tool, sees what came of it, and answers", async () => {
  model.script(call("calculate", { expression: "(2 + 3) * 4" }), { tokens: ["It is ", "20."] });
  const { messages, steps, stopped, ledger } = await run(ask("What is (2+3)*4?"));
  expect(messages.at(-1)).toMatchObject({ type: "ai", content: "It is 20." });
  expect(steps).toMatchObject([{ action: "calculate", input: { expression: "(2 + 3) * 4" }, observation: "20" }]);
  expect(stopped).toBeNull();
  expect(ledger.map(({ outcome }) => outcome)).toEqual(["success", "success"]);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: "tool", content: "20" });
});

test("a tool answers with a message that names its call", async () => {
  model.script(call("calculate", { expression: "1 + 1" }, "call_7"), { tokens: ["2"] });
  const streamed = client.runs.stream(null, "react", { ...ask("1 + 1?"), streamMode: ["events", "tools"] as unknown as ["events"] });
  const events = await collect(streamed as AsyncIterable<{ event: string; data: Record<string, unknown> }>);
  const ends = events.flatMap(({ data }) => (data.event === "on_tool_end" ? [Object(data.data).output ?? data.output] : []));
  expect(ends).toEqual(Array(2).fill(expect.objectContaining({ type: "tool", content: "2", tool_call_id: "call_7", name: "calculate" })));
});

test("unknown tools, bad arguments and failing tools are observations, not crashes", async () => {
  model.script(
    call("teleport", {}),
    call("calculate", { wrong: 1 }),
    call("calculate", { expression: "1 +" }),
    call("calculate", { expression: "import({}, {})" }),
    { tokens: ["Sorry."] },
  );
  const { messages, steps } = await run(ask("Do things"));
  expect(steps.map(({ observation }) => observation)).toEqual([
    'Error: there is no tool "teleport"; there are calculate, now.',
    expect.stringContaining("Error: "),
    expect.stringContaining("Error: "),
    expect.stringContaining("Error: import is not available here"),
  ]);
  expect(messages.at(-1)?.content).toBe("Sorry.");
});

test("at the limit of steps it gives its best answer and says so", async () => {
  model.script(...Array.from({ length: 2 }, () => call("now", {})), { tokens: ["My best guess."] });
  const { messages, stopped, steps } = await run({ ...ask("Loop"), context: { stepLimit: 2 } });
  expect(model.requests.map(({ tools = [] }) => tools.length)).toEqual([2, 2, 0]);
  expect(stopped).toBe("step_limit");
  expect(steps).toHaveLength(2);
  expect(messages.at(-1)?.content).toBe("My best guess.");
});

test("a person is asked, and the run goes on with the answer", async () => {
  const { thread_id: threadId } = await client.threads.create();
  model.script(call("ask_human", { question: "Which city?", options: ["Rome", "Oslo"] }), { tokens: ["Rome it is."] });
  const asked = await run({ ...ask("Plan a trip"), context: { tools: ["ask_human"] } }, threadId);
  expect(asked.__interrupt__[0]?.value).toEqual({ type: "selection", prompt: "Which city?", options: ["Rome", "Oslo"] });
  const { messages, steps } = await run({ command: { resume: "Rome" }, context: { tools: ["ask_human"] } }, threadId);
  expect(steps).toMatchObject([{ action: "ask_human", observation: "Rome" }]);
  expect(messages.at(-1)?.content).toBe("Rome it is.");
});

test.each([
  [{ approved: true }, "2"],
  [{ approved: true, edited: { expression: "3 + 3" } }, "6"],
  [{ approved: false, reason: "too costly" }, "Refused by a person: too costly"],
  // The answers of Agent Inbox, and of Agent Chat UI and LangChain's middleware.
  [[{ type: "accept", args: null }], "2"],
  [[{ type: "edit", args: { action: "calculate", args: { expression: "3 + 3" } } }], "6"],
  [[{ type: "response", args: "too costly" }], "Refused by a person: too costly"],
  [{ type: "ignore", args: null }, "Refused by a person."],
  [{ decisions: [{ type: "approve" }] }, "2"],
  [{ decisions: [{ type: "edit", edited_action: { name: "calculate", args: { expression: "3 + 3" } } }] }, "6"],
  [{ decisions: [{ type: "edit", editedAction: { name: "calculate", args: { expression: "3 + 3" } } }] }, "6"],
  [{ decisions: [{ type: "reject", message: "too costly" }] }, "Refused by a person: too costly"],
])("a tool that needs approval waits for it: %o", async (answer, observation) => {
  const { thread_id: threadId } = await client.threads.create();
  const context = { approve: ["calculate"] };
  model.script(call("calculate", { expression: "1 + 1" }), { tokens: ["ok"] });
  const asked = await run({ ...ask("Add"), context }, threadId);
  expect(asked.__interrupt__[0]?.value).toMatchObject({ type: "approval", details: { tool: "calculate", args: { expression: "1 + 1" } } });
  const { steps } = await run({ command: { resume: answer as object }, context }, threadId);
  expect(steps).toMatchObject([{ observation }]);
});

test("a question for approval is drawn by the usual inboxes, and what they cannot mean is refused", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const context = { approve: ["calculate"] };
  const args = { expression: "1 + 1" };
  model.script(call("calculate", args), { tokens: ["ok"] });
  const asked = await run({ ...ask("Add"), context }, threadId);
  expect(asked.__interrupt__[0]?.value).toMatchObject({
    action_request: { action: "calculate", args },
    config: { allow_accept: true, allow_edit: true, allow_respond: true, allow_ignore: true },
    action_requests: [{ name: "calculate", args }],
    review_configs: [{ action_name: "calculate", allowed_decisions: ["approve", "edit", "reject"] }],
  });
  const other = { type: "edit", args: { action: "fetch_page", args: {} } };
  for (const resume of [{}, [], "yes", { timedOut: true }, [other], { decisions: [] }, { decisions: [{ type: "accept" }] }]) {
    await expect(run({ command: { resume }, context }, threadId)).rejects.toThrow("HTTP 422: ");
  }
  expect((await run({ command: { resume: { approved: true } }, context }, threadId)).steps).toMatchObject([{ observation: "2" }]);
});

test.each([
  [{ approve: ["calculate"] }, call("calculate", { expression: "1 + 1" }), "Refused by a person: Nobody answered within 0.1 s."],
  [{ tools: ["ask_human"] }, call("ask_human", { question: "Which city?" }), "Nobody answered within 0.1 s."],
])("when nobody answers in time the model hears it: %o", async (context, toolCall, observation) => {
  const { thread_id: threadId } = await client.threads.create();
  model.script(toolCall, { tokens: ["Then I cannot."] });
  const asked = await run({ ...ask("Do it"), context: { ...context, askTimeoutSeconds: 0.1 } }, threadId);
  expect(asked.__interrupt__[0]?.value).toMatchObject({ timeoutSeconds: 0.1 });
  await until(async () => (await client.threads.get(threadId)).status === "idle");
  const { values } = await client.threads.getState<React>(threadId);
  expect(values.steps).toMatchObject([{ observation }]);
  expect(values.messages.at(-1)?.content).toBe("Then I cannot.");
});

test("a cancel ends a run at once, also in the pause before a retry", async () => {
  const { thread_id: threadId } = await client.threads.create();
  model.script({ status: 429, headers: { "retry-after": "20" } });
  const { run_id: runId } = await client.runs.create(threadId, "react", ask("Hello"));
  await expect.poll(() => model.requests.length).toBe(1);
  const began = Date.now();
  await client.runs.cancel(threadId, runId, true);
  expect(Date.now() - began).toBeLessThan(5_000);
  expect(await client.runs.get(threadId, runId)).toMatchObject({ status: "interrupted" });
  expect(model.requests).toHaveLength(1);
});

test("an answer without end is cut with a note, and a long one is not", async () => {
  model.script({ tokens: ["x".repeat(600_000)] });
  expect((await run(ask("Write"))).messages.at(-1)?.content).toHaveLength(600_000);
  model.script({ tokens: ["x".repeat(600_000), "y".repeat(600_000)] });
  const content = String((await run(ask("Write"))).messages.at(-1)?.content);
  expect(content).toHaveLength(1_000_000 + "\n[Cut here: 1000000 of 1200000 characters are kept.]".length);
  expect(content.endsWith("y\n[Cut here: 1000000 of 1200000 characters are kept.]")).toBe(true);
});

test("a page is read, and an address inside our own network is not, not even through a redirect", async () => {
  const { host } = await startSite((url, response) => {
    if (url === "/away") return response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
    return response.end("<html><script>bad()</script><h1>Hello</h1><STYLE>h1 {}</STYLE > <scripture>page</scripture></html>");
  });
  expect(await observe(`http://${host}/`, [host])).toBe("Hello page");
  for (const url of [`http://${host}/`, "http://[::1]/", "http://2130706433/", "http://[::ffff:127.0.0.1]/"]) {
    expect(await observe(url, [])).toContain("is inside our own network");
  }
  expect(await observe(`http://${host}/away`, [host])).toContain("169.254.169.254 is inside our own network");
  expect(await observe("file:///etc/passwd", [])).toContain("Only http and https");
});

test.each([
  "[::7f00:1]",
  "[::ffff:7f00:1]",
  "[::ffff:0:7f00:1]",
  "[2002:7f00:1::]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2001:db8::1]",
  "[fec0::1]",
  "192.88.99.1",
  "203.0.113.1",
])("no way of writing an address leads inside: %s", async (host) => {
  expect(await observe(`http://${host}/`, [])).toContain("is inside our own network");
});

test("a name that is inside is not read, and the address that was looked at is the one that is called", async () => {
  const { host, hits } = await startSite((_url, response) => response.end("secret"));
  const url = `http://rebind.test:${host.split(":")[1]}/`;
  expect(await observe(url.replace("rebind.test", "localhost"), [])).toContain("localhost is inside our own network");
  const stop = new AbortController();
  let asked = 0;
  // The first lookup returns an address that leads nowhere, and every later one an internal address.
  const resolve = async () => {
    setImmediate(() => stop.abort());
    return [asked++ === 0 ? { address: "3fff::1", family: 6 } : { address: "127.0.0.1", family: 4 }];
  };
  await expect(fetchPage(url, { allowedHosts: [], signal: stop.signal, resolve })).rejects.toThrow();
  expect({ asked, hits }).toEqual({ asked: 1, hits: [] });
});

test("a page without an end is read as far as it may be long", async () => {
  const { host } = await startSite((_url, response) => {
    Readable.from(
      (function* () {
        for (;;) yield "word ".repeat(1_000);
      })(),
    ).pipe(response);
  });
  expect(await observe(`http://${host}/`, [host])).toContain("[Cut here: 8000 of 199999 characters are shown.");
});

test.each(["<", "<script>", "<style>a", "</script <script"])("a page of nothing but %s is read and holds nobody up", async (part) => {
  const { host } = await startSite((_url, response) => response.end(part.repeat(Math.ceil(200_000 / part.length))));
  expect(await observe(`http://${host}/`, [host])).not.toContain("Error");
});

test("a long conversation is folded into a summary, which the model is given", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const old = Array.from({ length: 24 }, (_, n) => ({ role: n % 2 ? "assistant" : "user", content: `message ${n}` }));
  model.script({ tokens: ["They counted to 24."] }, { tokens: ["Yes."] });
  const { summary, messages } = await run({ input: { messages: [...old, { role: "user", content: "And now?" }] } }, threadId);
  expect(summary).toBe("They counted to 24.");
  expect(messages).toHaveLength(26);
  const seen = model.requests[1]?.messages ?? [];
  expect(String(seen[0]?.content)).toContain("They counted to 24.");
  expect(JSON.stringify(seen)).not.toContain("message 0");
  expect(seen).toHaveLength(16);
});

test("tokens come as the model speaks, and a budget that is used up ends the run", async () => {
  model.script({ tokens: ["Hel", "lo"] });
  const events = await collect(client.runs.stream(null, "react", { ...ask("Hi"), streamMode: ["messages-tuple"] }));
  const tokens = events
    .filter(({ event }) => event === "messages")
    .map(({ data }) => (data as unknown as [{ content: string }])[0].content);
  expect(tokens.join("")).toBe("Hello");
  model.script(call("now", {}), { tokens: ["never"] });
  await expect(
    run({ ...ask("Hi"), context: { budget: { dollars: 1e-12, prices: { "gpt-5-mini": { input: 1, output: 1 } } } } }),
  ).rejects.toThrow("BudgetExceededError");
});

test("what an assistant remembered it recalls in another conversation, and no other assistant does", async () => {
  const context = { tools: ["remember", "recall"] };
  const { assistant_id: other } = await client.assistants.create({ graphId: "react", context });
  const recall = [call("recall", { query: "the user's favourite colour" }), { tokens: ["So be it."] }];
  const hear = async (assistantId: string) => {
    model.script(...recall);
    const payload = { ...ask("What is my favourite colour?"), context } as object;
    return ((await client.runs.wait(null, assistantId, payload)) as unknown as React).steps[0]?.observation;
  };
  expect(await hear("react")).toBe("Nothing is remembered of that.");

  const told = [
    ["favourite colour", "Blue"],
    ["dog", "Called Rex"],
    ["favourite colour", "Green"],
  ] as const;
  for (const [name, text] of told) {
    model.script(call("remember", { name, text }), { tokens: ["Noted."] });
    expect((await run({ ...ask("Remember this"), context })).steps[0]?.observation).toBe(`Remembered as "${name}".`);
  }
  expect(await hear("react")).toBe("favourite colour: Green");
  expect(await hear(other)).toBe("Nothing is remembered of that.");
});

test("what cannot be remembered is an observation", async () => {
  model.script(call("remember", { name: "", text: "x" }), call("remember", { name: "a\u0000b", text: "x" }), { tokens: ["Sorry."] });
  const { steps, messages } = await run({ ...ask("Remember this"), context: { tools: ["remember"] } });
  expect(steps.map(({ observation }) => observation)).toEqual([expect.stringMatching(/^Error: /), expect.stringMatching(/^Error: /)]);
  expect(messages.at(-1)?.content).toBe("Sorry.");
});

test("a high limit of steps is reached, unless the caller's own limit stops the run before", async () => {
  let rounds = 0;
  model.respond((messages) => {
    if (messages.includes("Fold the new messages")) return { tokens: ["Much was looked up."] };
    return rounds++ < 15 ? call("now", {}) : { tokens: ["My best guess."] };
  });
  const { stopped, steps } = await run({ ...ask("Loop"), context: { stepLimit: 15 } });
  expect(stopped).toBe("step_limit");
  expect(steps).toHaveLength(15);
  model.script(call("now", {}));
  await expect(run({ ...ask("Loop"), config: { recursion_limit: 5 } })).rejects.toThrow("Recursion limit of 5");
});

test("the question is before the model in every round, however many there are", async () => {
  model.respond((messages) => (messages.includes("Fold the new messages") ? { tokens: ["Twelve."] } : call("now", {})));
  await run({ ...ask("What is the time in Oslo?"), context: { stepLimit: 12 } });
  const rounds = model.requests.filter(({ messages }) => !JSON.stringify(messages).includes("Fold the new messages"));
  expect(rounds).toHaveLength(13);
  for (const { messages } of rounds) expect(JSON.stringify(messages)).toContain("the time in Oslo");
});

test("a long run folds its own messages, and the question stays before the model", async () => {
  const old = Array.from({ length: 18 }, (_, n) => ({ role: n % 2 ? "assistant" : "user", content: `message ${n}` }));
  model.script(call("now", {}), { tokens: ["Eighteen messages."] }, call("now", {}), { tokens: ["My best guess."] });
  const { summary, steps, messages } = await run({ input: { messages: [...old, ...ask("And now?").input.messages] } });
  expect(summary).toBe("Eighteen messages.");
  expect(steps).toHaveLength(2);
  expect(messages.at(-1)?.content).toBe("My best guess.");
  const seen = model.requests.map(({ messages: sent }) => JSON.stringify(sent));
  const [, folding = "", ...others] = seen;
  expect(seen[0]).toContain("message 0");
  expect(folding).toContain("Fold the new messages");
  for (const request of others) expect(request).not.toContain("message 0");
  for (const request of others) expect(request).toContain("And now?");
});

test("a model that was offered no tools cannot call one", async () => {
  model.script(call("now", {}), call("now", {}));
  const { messages, stopped, steps } = await run({ ...ask("Loop"), context: { stepLimit: 1 } });
  expect(stopped).toBe("step_limit");
  expect(steps).toHaveLength(1);
  expect(messages.at(-1)).toMatchObject({ type: "ai", content: "I reached the limit of my steps before I had an answer." });
});

test("a question is not folded away, though much was said after it", async () => {
  const after = Array.from({ length: 24 }, (_, n) => ({ role: "assistant", content: `thought ${n}` }));
  await run({ input: { messages: [...ask("What is the time in Oslo?").input.messages, ...after] } });
  expect(JSON.stringify(model.requests.at(-1)?.messages)).toContain("the time in Oslo");
});

test.each(["invoked", "streamed"])("a call whose arguments are not JSON goes back to the model: %s", async (way) => {
  const { thread_id: threadId } = await client.threads.create();
  model.script(call("calculate", "expression: 1 + 1", "call_1"), call("calculate", { expression: "1 + 1" }), { tokens: ["It is 2."] });
  if (way === "invoked") await run(ask("Add"), threadId);
  else await collect(client.runs.stream(threadId, "react", { ...ask("Add"), streamMode: ["messages-tuple"] }));
  const { values } = await client.threads.getState<React>(threadId);
  expect(values.steps).toMatchObject([
    { action: "calculate", input: "expression: 1 + 1", observation: "Error: the arguments are not JSON: expression: 1 + 1" },
    { action: "calculate", observation: "2" },
  ]);
  expect(values.messages.at(-1)?.content).toBe("It is 2.");
  expect(model.requests[1]?.messages.slice(-2)).toMatchObject([
    { role: "assistant", tool_calls: [{ id: "call_1", function: { name: "calculate", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "call_1" },
  ]);
});

test("a temperature is sent only if the caller set one, to every agent", async () => {
  const temperatures = () => new Set(model.requests.map(({ temperature }) => temperature));
  for (const pattern of [
    { graph: "react", input: ask("Hi").input, answers: [{ tokens: ["Hello."] }] },
    {
      graph: "reflect",
      input: { task: "Write" },
      answers: [{ json: { text: "Draft" } }, { json: { valid: true, score: 1, problems: [] } }],
    },
  ]) {
    for (const temperature of [undefined, 1]) {
      model.script(...pattern.answers);
      await client.runs.wait(null, pattern.graph, { input: pattern.input, context: { models: { temperature } } });
      expect(model.requests).toHaveLength(pattern.answers.length);
      expect(temperatures()).toEqual(new Set([temperature]));
    }
  }
});

test("the limit of steps is reported as it is reached", async () => {
  model.script(call("now", {}), { tokens: ["My best guess."] });
  const events = await collect(client.runs.stream(null, "react", { ...ask("Loop"), context: { stepLimit: 1 }, streamMode: ["custom"] }));
  expect(events.map(({ data }) => data)).toContainEqual(expect.objectContaining({ type: "step_limit", pattern: "react", stepLimit: 1 }));
});

test("an answer that breaks off after its first token is not begun again", async () => {
  model.script({ tokens: ["Hel"], breaks: true }, { tokens: ["Hello"] });
  const events = await collect(client.runs.stream(null, "react", { ...ask("Hi"), streamMode: ["messages-tuple"] }));
  expect(events.at(-1)?.event).toBe("error");
  expect(model.requests).toHaveLength(1);
});
