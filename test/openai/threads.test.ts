import { beforeEach, expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, model, client } = await startOpenAi({ http: { openai_user_threads: true } });
beforeEach(() => model.script({ tokens: ["Hello."] }));

type Message = { role: "user" | "assistant" | "system"; content: string };
const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

/** Sends messages on a thread, and returns the text of the answer. */
async function say(name: string, messages: Message[], headers: Record<string, string> = {}, more: object = {}) {
  const answer = await openai.chat.completions.create({ model: name, messages, ...more }, { headers });
  return answer.choices[0]?.message.content;
}

/** Sends messages on a thread, and returns the text of the streamed answer. */
async function stream(name: string, messages: Message[], headers: Record<string, string>) {
  let text = "";
  for await (const { choices } of await openai.chat.completions.create({ model: name, messages, stream: true }, { headers }))
    text += choices[0]?.delta.content ?? "";
  return text;
}

test("a thread gets the whole history first, and then only the messages after the last answer", async () => {
  const headers = { "x-thread-id": crypto.randomUUID() };
  const history = [{ role: "system" as const, content: "S" }, user("1"), assistant("2"), user("3")];
  expect(await say("plain", history, headers)).toBe("4: system S | human 1 | ai 2 | human 3");
  const answered = await say("plain", [...history, assistant("4"), user("5")], headers);
  expect(answered).toBe("6: system S | human 1 | ai 2 | human 3 | ai 4: system S | human 1 | ai 2 | human 3 | human 5");
  const { values } = await client.threads.get(headers["x-thread-id"]);
  expect((values as { messages: object[] }).messages).toHaveLength(7);
});

test("a thread may have any name, and the answer names its id", async () => {
  const say = () => openai.chat.completions.create({ model: "plain", messages: [user("1")] }, { headers: { "x-thread-id": "my chat" } });
  const { response } = await say().withResponse();
  const threadId = response.headers.get("x-thread-id") ?? "";
  expect(response.headers.get("content-location")).toMatch(`/threads/${threadId}/runs/`);
  await say();
  expect(await client.runs.list(threadId)).toHaveLength(2);
});

test.each(["x-chat-id", "x-openwebui-chat-id"])(
  "%s names a thread for each assistant, unless the answer is not streamed",
  async (header) => {
    const headers = { [header]: crypto.randomUUID() };
    await stream("plain", [user("1")], headers);
    expect(await say("plain", [user("a title")], headers)).toBe("1: human a title");
    expect(await stream("asking", [user("1")], headers)).toContain("Which colour");
    expect(await stream("plain", [user("2")], headers)).toBe("3: human 1 | ai 1: human 1 | human 2");
  },
);

test("`user` names a thread if the project says so", async () => {
  await say("plain", [user("1")], {}, { user: "ann" });
  expect(await say("plain", [user("2")], {}, { user: "ann" })).toBe("3: human 1 | ai 1: human 1 | human 2");
  expect(await say("plain", [user("2")], {}, { user: "bob" })).toBe("1: human 2");
});

test("a thread without a new message gets 400", async () => {
  const headers = { "x-thread-id": crypto.randomUUID() };
  await say("plain", [user("1")], headers);
  const again = say("plain", [user("1"), assistant("2")], headers);
  await expect(again).rejects.toMatchObject({ status: 400, param: "messages" });
});

test.each([true, false])("a question is the answer, and the next message on the thread answers it (streaming: %s)", async (streams) => {
  const headers = { "x-thread-id": crypto.randomUUID() };
  const speak = (messages: Message[]) => (streams ? stream("asking", messages, headers) : say("asking", messages, headers));
  const question = "Which colour do you like?\n\nYour next message answers this question.";
  expect(await speak([user("Paint!")])).toBe(question);
  expect(await speak([user("Paint!"), assistant(question), user("Blue")])).toBe("You like Blue.");
  const { values } = await client.threads.get(headers["x-thread-id"]);
  expect((values as { messages: { content: string }[] }).messages.map(({ content }) => content)).toEqual(["Paint!", "You like Blue."]);
});

test("a run that somebody cancels is an error", async () => {
  model.script({ tokens: ["Wait"], hang: true });
  const thread = crypto.randomUUID();
  const answering = say("chat", [user("1")], { "x-thread-id": thread });
  answering.catch(() => {});
  await expect.poll(() => model.requests.length).toBe(1);
  const [run] = await client.runs.list(thread);
  await client.runs.cancel(thread, run?.run_id ?? "");
  await expect(answering).rejects.toMatchObject({ status: 400, code: "run_failed", message: expect.stringContaining("cancelled") });
});

test("a question without a thread says that it cannot be answered", async () => {
  expect(await say("asking", [user("Paint!")])).toContain("Send the header x-thread-id");
});

test("a person approves with words", async () => {
  const ask = async (answer: string) => {
    const headers = { "x-thread-id": crypto.randomUUID() };
    const question = await say("approving", [user("Pay!")], headers);
    expect(question).toContain('"name": "pay"');
    return JSON.parse((await say("approving", [user(answer)], headers)) ?? "");
  };
  expect(await ask("Yes.")).toEqual({ decisions: [{ type: "approve" }] });
  expect(await ask("no, too much")).toEqual({ decisions: [{ type: "reject", message: "too much" }] });
  const edit = { decisions: [{ type: "edit", edited_action: { name: "pay", args: { sum: 1 } } }] };
  expect(await ask(JSON.stringify(edit))).toEqual(edit);
});

test("the shipped pattern react asks for approval, and goes on after a yes", async () => {
  const { assistant_id } = await client.assistants.create({
    graphId: "react",
    context: { tools: ["calculate"], approve: ["calculate"] },
  });
  const headers = { "x-thread-id": crypto.randomUUID() };
  model.script({ toolCall: { id: "call_1", name: "calculate", args: { expression: "6 * 7" } } }, { tokens: ["It is 42."] });
  expect(await say(assistant_id, [user("6 * 7?")], headers)).toContain('Answer "yes"');
  expect(await say(assistant_id, [user("yes")], headers)).toBe("It is 42.");
});
