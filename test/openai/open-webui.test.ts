import { randomUUID } from "node:crypto";
import { Client } from "@langchain/langgraph-sdk";
import { beforeEach, describe, expect, test } from "vitest";
import { createKey } from "../../src/auth/keys.ts";
import { eventually } from "../sse.ts";
import { builtinTools, directMetadata, type Message, openWebUi } from "./open-webui.ts";
import { startOpenAi } from "./service.ts";

// The requests and the rules of reading were taken from the sources of Open WebUI 0.10.1: routers/openai.py, routers/tasks.py,
// utils/middleware.py, utils/payload.py, main.py, and the page that shows a chat.

const { key, entry } = createKey("owui");
const { model, db, baseURL, urls } = await startOpenAi({ env: { ENSEMBLE_API_KEYS: entry } });
const client = new Client({ apiUrl: urls[0] ?? "", apiKey: key });
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

const chatHeader = { "X-OpenWebUI-Chat-Id": "{{CHAT_ID}}" };
const ui = openWebUi({ baseURL, key, headers: chatHeader });
const user = (content: unknown): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

describe("a connection", () => {
  test("is verified, and its models have the names that the menu shows", async () => {
    const listed = await ui.verify();
    if ("error" in listed) throw new Error(listed.error);
    expect(listed.data.find(({ id }) => id === "chat")).toMatchObject({ id: "chat", name: "chat" });
    for (const { id, name } of listed.data) expect([typeof id, typeof name]).toEqual(["string", "string"]);
  });

  test("with a wrong key shows why it is refused", async () => {
    const stranger = openWebUi({ baseURL, key: "wrong" });
    expect(await stranger.verify()).toEqual({ error: expect.stringMatching(/^OpenAI: .*key/i) });
    expect((await stranger.chat({ model: "chat", messages: [user("Hi")] })).error).toMatch(/key/i);
  });

  test("of a browser passes its preflight, and sends metadata", async () => {
    const preflight = await fetch(`${baseURL}/chat/completions`, {
      method: "OPTIONS",
      headers: {
        origin: "https://chat.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/authorization/);
    const direct = openWebUi({ baseURL, key });
    expect((await direct.chat({ model: "chat", messages: [user("Hi")], more: { metadata: directMetadata("chat") } })).text).toBe("Hello.");
  });
});

describe("a chat", () => {
  test("of three turns stays on one thread, though each message brings tools", async () => {
    const chat = randomUUID();
    const history: Message[] = [{ role: "system", content: "Be brief." }];
    for (const turn of ["1", "2", "3"]) {
      history.push(user(turn));
      const { text, error } = await ui.chat({ model: "plain", messages: history, chat });
      expect(error).toBeUndefined();
      history.push(assistant(text));
    }
    expect(history.at(-1)?.content).toMatch(/^6: system Be brief\. \| human 1 \| ai .* human 2 \| ai .* \| human 3$/);
  });

  test("shows tokens, the reason and the usage", async () => {
    const shown = await ui.chat({ model: "chat", messages: [user("Hi")], chat: randomUUID() });
    expect(shown).toMatchObject({ text: "Hello.", finish: "stop", usage: { prompt_tokens: 1, completion_tokens: 2 } });
  });

  test("shows a question, and the next message answers it", async () => {
    const chat = randomUUID();
    const { text } = await ui.chat({ model: "asking", messages: [user("Paint!")], chat });
    expect(text).toContain("Which colour do you like?");
    const answered = await ui.chat({ model: "asking", messages: [user("Paint!"), assistant(text), user("Blue")], chat });
    expect(answered.text).toBe("You like Blue.");
  });

  test("runs the tools that a graph's model calls, and sends their results", async () => {
    model.script({ toolCall: { id: "call_1", name: "search_chats", args: { query: "Rome" } } }, { tokens: ["Found."] });
    const chat = randomUUID();
    const asked = await ui.chat({ model: "tooled", messages: [user("Find Rome")], chat });
    expect(asked).toMatchObject({ finish: "tool_calls", calls: [{ id: "call_1", function: { arguments: '{"query":"Rome"}' } }] });
    const called = { role: "assistant", content: "", tool_calls: asked.calls };
    const result = { role: "tool", tool_call_id: "call_1", content: "one chat" };
    expect((await ui.chat({ model: "tooled", messages: [user("Find Rome"), called, result], chat })).text).toBe("Found.");
    expect(model.requests[0]?.tools).toHaveLength(builtinTools.length);
  });

  test("shows the message of a failed run, of a streamed answer and of a refused request", async () => {
    const failed = "The run failed with RangeError: The oven is cold.";
    expect((await ui.chat({ model: "failing", messages: [user("Bake")] })).error).toBe(failed);
    expect((await ui.chat({ model: "failing", messages: [user("Bake")], stream: false })).error).toBe(failed);
    expect((await ui.chat({ model: "none", messages: [user("Hi")] })).error).toMatch(/does not exist/);
  });

  test("that the user stops cancels its run", async () => {
    model.script({ tokens: ["Wait"], hang: true });
    const stop = new AbortController();
    const response = await ui.send({ model: "chat", messages: [user("Hi")], chat: randomUUID(), signal: stop.signal });
    await expect.poll(() => model.requests.length).toBe(1);
    stop.abort();
    const run = response.headers.get("content-location")?.split("/").at(-1);
    await eventually(async () =>
      expect((await db.query("select status from runs where run_id = $1", [run])).rows).toEqual([{ status: "interrupted" }]),
    );
  });

  test("gives images to the graph's model", async () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
    await ui.chat({ model: "classified", messages: [user([{ type: "text", text: "Look" }, image])] });
    expect(model.requests[0]?.messages[0]?.content).toMatchObject([{ type: "text", text: "Look" }, image]);
  });

  test("shows a long text that arrives as a whole", async () => {
    const long = "🜁é\u0001".repeat(60_000);
    expect((await ui.chat({ model: "plain", messages: [user(long)] })).text).toBe(`1: human ${long}`.trim());
  });

  test("may have an assistant whose name looks like a reasoning model, with a slash and a colon", async () => {
    const name = "gpt-5/research:v2";
    await client.assistants.create({ graphId: "plain", name });
    const more = { max_tokens: undefined, max_completion_tokens: 9 };
    const messages = [{ role: "developer", content: "S" }, user("1")];
    expect((await ui.chat({ model: name, messages, more })).text).toBe("2: system S | human 1");
  });
});

describe("a request that Open WebUI makes for itself", () => {
  const tagged = openWebUi({ baseURL, key, headers: { ...chatHeader, "X-OpenWebUI-Task": "{{TASK}}" } });

  test.each([
    ["without", ui],
    ["with", tagged],
  ])("neither answers the chat's question nor becomes part of its thread, %s the header of tasks", async (_, connection) => {
    const chat = randomUUID();
    const { text } = await connection.chat({ model: "asking", messages: [user("Paint!")], chat });
    for (const task of ["title_generation", "tags_generation", "follow_up_generation"])
      expect((await connection.task({ model: "asking", chat, task })).text).toContain("Which colour");
    const messages = [user("Paint!"), assistant(text), user("Red")];
    expect((await connection.chat({ model: "asking", messages, chat })).text).toBe("You like Red.");
  });

  test("gets a title from a graph, with the text as it is", async () => {
    model.script({ tokens: ['{ "title": "Ri', 'vers" }'] });
    expect(JSON.parse((await ui.task({ model: "chat", chat: randomUUID(), task: "title_generation" })).text)).toEqual({ title: "Rivers" });
  });

  test("keeps no thread", async () => {
    await tagged.task({ model: "classified", chat: randomUUID(), task: "title_generation" });
    expect(await client.threads.search({ metadata: { graph_id: "classified" } })).toEqual([]);
  });

  test("is told from a chat without streaming by the header of tasks", async () => {
    const chat = randomUUID();
    for (const expected of ["1: human 1", "3: human 1 | ai 1: human 1 | human 1"])
      expect((await tagged.chat({ model: "plain", messages: [user("1")], chat, stream: false })).text).toBe(expected);
  });

  test("may stream, and still has no thread", async () => {
    const chat = randomUUID();
    await tagged.chat({ model: "plain", messages: [user("1")], chat, task: "moa_response_generation" });
    expect((await tagged.chat({ model: "plain", messages: [user("2")], chat })).text).toBe("1: human 2");
  });
});

test.each(["local:socket-1", "channel:7"])("the chat %s has no thread, because other chats have the same id", async (chat) => {
  await ui.chat({ model: "plain", messages: [user("1")], chat });
  expect((await ui.chat({ model: "plain", messages: [user("2")], chat })).text).toBe("1: human 2");
});

describe("a connection with the API type Responses", () => {
  const responses = openWebUi({ baseURL, key, headers: chatHeader, usesResponses: true });

  test("keeps a chat on its thread, and shows the usage", async () => {
    const chat = randomUUID();
    const system = { role: "system", content: "S" };
    const first = await responses.chat({ model: "plain", messages: [system, user("1")], chat });
    expect(first).toMatchObject({ text: "2: system S | human 1", usage: { total_tokens: 0 } });
    const second = await responses.chat({ model: "plain", messages: [system, user("1"), assistant(first.text), user("2")], chat });
    expect(second.text).toBe("4: system S | human 1 | ai 2: system S | human 1 | human 2");
  });

  test("shows the message of a failed run, and gets titles", async () => {
    expect((await responses.chat({ model: "failing", messages: [user("Bake")] })).error).toContain("The oven is cold.");
    expect((await responses.task({ model: "chat", task: "title_generation" })).text).toBe("Hello.");
  });
});
