import OpenAI from "openai";
import { expect, test } from "vitest";
import { createKey } from "../../src/auth/keys.ts";
import { startOpenAi } from "./service.ts";

const messages = [{ role: "user" as const, content: "Hi" }];

test("an API key of the service is the key of the client, below a path prefix too", async () => {
  const { key, entry } = createKey("ann");
  const { baseURL, openai } = await startOpenAi({ http: { mount_prefix: "/api" }, env: { ENSEMBLE_API_KEYS: entry } });
  await expect(openai.chat.completions.create({ model: "plain", messages })).rejects.toMatchObject({
    status: 401,
    type: "authentication_error",
  });
  const known = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
  expect((await known.models.list()).data.map(({ id }) => id)).toContain("plain");
  expect((await known.chat.completions.create({ model: "plain", messages })).choices[0]?.message.content).toBe("1: human Hi");
});

test.each([{ disable_openai: true }, { disable_runs: true }])("with %o there are no such endpoints", async (http) => {
  const { openai, fetch } = await startOpenAi({ http });
  await expect(openai.models.list()).rejects.toMatchObject({ status: 404 });
  expect((await fetch("/v1/responses", { method: "POST" })).status).toBe(404);
});

test("without the option, `user` names no thread", async () => {
  const { openai } = await startOpenAi();
  const say = () => openai.chat.completions.create({ model: "plain", messages, user: "ann" });
  await say();
  expect((await say()).choices[0]?.message.content).toBe("1: human Hi");
});
