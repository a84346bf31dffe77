import { randomUUID } from "node:crypto";
import { AIMessage, type BaseMessage, HumanMessage, SystemMessage } from "@langchain/core/messages";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { beforeEach, expect, test } from "vitest";
import { createKey } from "../../src/auth/keys.ts";
import { eventually } from "../sse.ts";
import { startOpenAi } from "./service.ts";

// LibreChat calls models with LangChain's ChatOpenAI. The options were taken from the sources of @librechat/agents 3.6.11 (src/run.ts,
// src/utils/title.ts, src/llm/openai) and from sources of LibreChat whose release is not known (packages/api: endpoints/openai/config.ts and
// llm.ts, endpoints/custom/initialize.ts, endpoints/models.ts, agents/run.ts). The settings are those of its documentation for 0.8.8-rc1.

const { key, entry } = createKey("librechat");
const { model, db, baseURL } = await startOpenAi({ env: { ENSEMBLE_API_KEYS: entry } });
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

const userId = "65f0c3a2b1d4e5f601234567";

/** Returns the model that LibreChat makes for a custom endpoint. `chat` replaces `{{LIBRECHAT_BODY_CONVERSATIONID}}` in the headers. */
const libreChat = (name: string, chat = "", more: ChatOpenAIFields = {}) =>
  new ChatOpenAI({
    model: name,
    user: userId,
    streaming: true,
    streamUsage: false,
    temperature: 0.5,
    topP: 0.8,
    frequencyPenalty: 0.1,
    maxTokens: 300,
    modelKwargs: { verbosity: "low", reasoning_effort: "low" },
    apiKey: key,
    configuration: { baseURL, defaultHeaders: { "x-chat-id": chat } },
    ...more,
  });

/** Returns the model with which LibreChat asks for a title. It has the endpoint's headers, but does not stream. */
const titleModel = (name: string, chat: string) => libreChat(name, chat, { streaming: false });

async function collect(stream: AsyncIterable<BaseMessage>): Promise<BaseMessage[]> {
  const chunks: BaseMessage[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks: BaseMessage[]) => chunks.map(({ text }) => text).join("");

/** Sends the messages of a conversation, and returns the text of the answer. */
const ask = async (chat: ChatOpenAI, messages: BaseMessage[], signal?: AbortSignal) =>
  textOf(await collect(await chat.stream(messages, signal ? { signal } : {})));

/** Fetches the list of models, with the headers of the endpoint. A placeholder without a value becomes an empty header. */
const fetchModels = async (apiKey: string) => {
  const response = await fetch(`${baseURL}/models`, { headers: { authorization: `Bearer ${apiKey}`, "x-chat-id": "" } });
  const { data } = (await response.json()) as { data?: { id: string }[] };
  return data?.map(({ id }) => id);
};

test("the models are fetched with the endpoint's headers", async () => {
  expect(await fetchModels(key)).toEqual(expect.arrayContaining(["chat", "react", "plain"]));
});

test("a wrong key fetches no models, and is shown as a sentence", async () => {
  expect(await fetchModels("wrong")).toBeUndefined();
  await expect(ask(libreChat("chat", "", { apiKey: "wrong" }), [new HumanMessage("Hi")])).rejects.toThrow(/^401 .*key/i);
});

test.each([false, true])("a conversation of three turns stays on one thread (Responses API: %s)", async (useResponsesApi) => {
  const conversation = libreChat("plain", randomUUID(), useResponsesApi ? { useResponsesApi, modelKwargs: {} } : {});
  const messages: BaseMessage[] = [new SystemMessage("Be brief.")];
  for (const turn of ["1", "2", "3"]) {
    messages.push(new HumanMessage(turn));
    messages.push(new AIMessage(await ask(conversation, messages)));
  }
  expect(messages.at(-1)?.text).toMatch(/^6: system Be brief\. \| human 1 \| ai .* \| human 2 \| ai .* \| human 3$/);
});

test("tokens arrive one by one, with the usage if the endpoint asks for it", async () => {
  const chunks = await collect(await libreChat("chat", "", { streamUsage: true }).stream([new HumanMessage("Hi")]));
  expect(chunks.map(({ text }) => text).filter(Boolean)).toEqual(["Hel", "lo."]);
  expect(chunks.map((chunk) => (chunk as AIMessage).usage_metadata).filter(Boolean)).toMatchObject([{ input_tokens: 1, output_tokens: 2 }]);
});

test("a question is answered in the chat, though a title is asked for at the same time", async () => {
  const chat = randomUUID();
  const first = new HumanMessage("Paint!");
  const title = new HumanMessage("Provide a title for the conversation.\n\nConversation:\nUser: Paint!\nAI: ");
  const [question] = await Promise.all([ask(libreChat("asking", chat), [first]), titleModel("asking", chat).invoke([title])]);
  expect(question).toContain("Which colour do you like?");
  expect(await ask(libreChat("asking", chat), [first, new AIMessage(question), new HumanMessage("Blue")])).toBe("You like Blue.");
});

test("a graph writes a title without a thread", async () => {
  model.script({ tokens: ["Great ", "Rivers"] });
  const title = await titleModel("chat", randomUUID()).invoke([new HumanMessage("Provide a title.\n\nConversation:\nUser: Hi\nAI: ")]);
  expect(title.content).toBe("Great Rivers");
});

test("a failed run is shown with its message, and is not started again", async () => {
  const failed = /The run failed with RangeError: The oven is cold\./;
  await expect(ask(libreChat("failing"), [new HumanMessage("Bake")])).rejects.toThrow(failed);
  let requests = 0;
  const counting: typeof fetch = (...request) => {
    requests++;
    return fetch(...request);
  };
  const title = libreChat("failing", "", { streaming: false, configuration: { baseURL, fetch: counting } });
  await expect(title.invoke([new HumanMessage("Bake")])).rejects.toThrow(failed);
  expect(requests).toBe(1);
});

test("an answer that the user stops cancels its run", async () => {
  model.script({ tokens: ["Wait"], hang: true });
  const chat = randomUUID();
  const stop = new AbortController();
  const answering = ask(libreChat("chat", chat), [new HumanMessage("Hi")], stop.signal);
  answering.catch(() => {});
  await expect.poll(() => model.requests.length).toBe(1);
  stop.abort();
  await expect(answering).rejects.toThrow(/abort/i);
  await eventually(async () => {
    const { rows } = await db.query("select status from runs order by created_at desc limit 1");
    expect(rows).toEqual([{ status: "interrupted" }]);
  });
});

test("images and files reach the graph's model", async () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "auto" } };
  const file = { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } };
  await ask(libreChat("classified"), [new HumanMessage({ content: [{ type: "text", text: "Look" }, image, file] })]);
  expect(model.requests[0]?.messages[0]?.content).toMatchObject([{ type: "text", text: "Look" }, image, file]);
});

test("tools of an agent do not keep a graph without a place for them from answering", async () => {
  const tool = { type: "function" as const, function: { name: "weather", parameters: { type: "object", properties: {} } } };
  const agent = libreChat("chat").bindTools([tool]);
  expect(textOf(await collect(await agent.stream([new HumanMessage("Hi")])))).toBe("Hello.");
});
