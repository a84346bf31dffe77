import { beforeEach, expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, model, client, fetch } = await startOpenAi();
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

const user = (content: string) => ({ role: "user" as const, content });

test("the models are the assistants whose graphs take messages", async () => {
  const models = (await openai.models.list()).data.map(({ id }) => id);
  expect(models).toEqual(expect.arrayContaining(["plain", "chat", "react", "supervisor"]));
  expect(models).not.toContain("silent");
  expect(await openai.models.retrieve("chat")).toMatchObject({ id: "chat", object: "model", owned_by: "ensemble" });
  await expect(openai.models.retrieve("none")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
});

test("a completion gives a graph all messages, and deletes its thread", async () => {
  const answer = await openai.chat.completions.create({
    model: "plain",
    temperature: 0.3,
    max_tokens: 9,
    messages: [{ role: "developer", content: "Be brief." }, user("One."), { role: "assistant", content: "Two." }, user("Three.")],
  });
  expect(answer.choices[0]).toMatchObject({
    message: { role: "assistant", content: "4: system Be brief. | human One. | ai Two. | human Three." },
    finish_reason: "stop",
  });
  expect(answer).toMatchObject({ object: "chat.completion", model: "plain", id: expect.stringMatching(/^chatcmpl-/) });
  expect(await client.threads.search({ metadata: { graph_id: "plain" } })).toEqual([]);
});

test.each(["chat", "react"])("the shipped pattern %s answers, with the usage of its model", async (pattern) => {
  const answer = await openai.chat.completions.create({ model: pattern, messages: [user("Hello?")] });
  expect(answer.choices[0]?.message.content).toBe("Hello.");
  expect(answer.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 });
});

test("an assistant is found by its id and by its name, unless two have this name", async () => {
  const one = await client.assistants.create({ graphId: "plain", name: "Parrot" });
  const ask = (name: string) => openai.chat.completions.create({ model: name, messages: [user("Hi")] });
  expect((await ask("Parrot")).choices[0]?.message.content).toBe("1: human Hi");
  expect((await ask(one.assistant_id)).choices[0]?.message.content).toBe("1: human Hi");
  await client.assistants.create({ graphId: "plain", name: "Parrot" });
  await expect(ask("Parrot")).rejects.toMatchObject({ status: 400, code: "ambiguous_model", param: "model" });
});

test("images reach the graph's model", async () => {
  const image = { type: "image_url" as const, image_url: { url: "data:image/png;base64,AAAA" } };
  await openai.chat.completions.create({
    model: "classified",
    messages: [{ role: "user", content: [{ type: "text", text: "Look" }, image] }],
  });
  expect(model.requests[0]?.messages[0]?.content).toMatchObject([{ type: "text", text: "Look" }, image]);
});

test("errors have OpenAI's form", async () => {
  const post = async (body: object) => {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  const error = (more: object) => ({ message: expect.any(String), type: "invalid_request_error", code: null, param: null, ...more });
  const messages = [user("Hi")];
  expect(await post({ model: "none", messages })).toEqual({ status: 404, error: error({ code: "model_not_found", param: "model" }) });
  expect(await post({ model: "silent", messages })).toEqual({ status: 400, error: error({ code: "unsupported_model", param: "model" }) });
  expect(await post({ model: "plain", messages, n: 2 })).toEqual({ status: 400, error: error({ code: "invalid_value", param: "n" }) });
  expect(await post({ model: "plain", messages: "Hi" })).toEqual({ status: 400, error: error({ param: "messages" }) });
  expect(await post({ model: "failing", messages })).toEqual({
    status: 400,
    error: error({ type: "server_error", code: "run_failed", message: "The run failed with RangeError: The oven is cold." }),
  });
});
