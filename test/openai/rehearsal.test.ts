import { expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, client } = await startOpenAi({ rehearses: true });

test.each(["chat", "react", "supervisor"])("%s streams exactly the texts that it adds to the conversation", async (pattern) => {
  const headers = { "x-thread-id": crypto.randomUUID() };
  let streamed = "";
  const messages = [{ role: "user" as const, content: "Compare two rivers in one paragraph." }];
  for await (const { choices } of await openai.chat.completions.create({ model: pattern, messages, stream: true }, { headers }))
    streamed += choices[0]?.delta.content ?? "";
  const { values } = await client.threads.get(headers["x-thread-id"]);
  const said = (values as { messages: { type: string; content: string }[] }).messages.filter(({ type }) => type === "ai");
  expect(streamed).not.toBe("");
  expect(streamed).toBe(
    said
      .map(({ content }) => content)
      .filter(Boolean)
      .join("\n\n"),
  );
});
