import type { CallToolResult } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { startTestService } from "../service.ts";
import { connectMcp } from "./clients.ts";
import { resultOf } from "./raw.ts";

const { client: api, urls } = await startTestService();
const url = urls[0] ?? "";

/** Connects a client that answers each question with the given responses, one after another. */
async function connectAnswering(...responses: object[]) {
  const client = await connectMcp(url, "2026-07-28");
  const messages: string[] = [];
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    messages.push(params.message);
    return responses[Math.min(messages.length, responses.length) - 1] as never;
  });
  return { client, messages };
}

const accept = (answer: string) => ({ action: "accept", content: { answer } });

test("the official client answers several rounds of questions within one call", async () => {
  const { client, messages } = await connectAnswering(accept("one"), accept("two"), accept("three"), accept("four"));
  const result = await client.callTool({ name: "two-questions", arguments: {} });
  expect(messages.slice(0, 2).sort()).toEqual(["age", "name"]);
  expect(messages.slice(2)).toEqual(["first", "second"]);
  expect(result.structuredContent).toMatchObject({ answers: expect.arrayContaining(["first three", "second four"]) });
});

test("a person can answer a call's question elsewhere, because its thread is visible", async () => {
  const { client } = await connectAnswering();
  const asked = await client.callTool({ name: "review", arguments: { topic: "rivers" } }, { allowInputRequired: true });
  expect(asked).toMatchObject({ resultType: "input_required", requestState: expect.any(String) });
  const [thread] = await api.threads.search({ metadata: { mcp_tool: "review" } });
  expect(thread).toMatchObject({ status: "interrupted" });
});

test("a declined question ends the call, and the run does not continue", async () => {
  const { client } = await connectAnswering({ action: "decline" });
  expect(await client.callTool({ name: "two-questions", arguments: {} })).toMatchObject({
    isError: true,
    content: [{ type: "text", text: expect.stringContaining("was not answered") }],
  });
});

test("the same answers, sent twice, continue the run once", async () => {
  const { client } = await connectAnswering();
  const asked = (await client.callTool({ name: "review", arguments: { topic: "seas" } }, { allowInputRequired: true })) as unknown as {
    inputRequests: Record<string, unknown>;
    requestState: string;
  };
  const [key = ""] = Object.keys(asked.inputRequests);
  const params = {
    name: "review",
    arguments: { topic: "seas" },
    requestState: asked.requestState,
    inputResponses: { [key]: accept('{"approved": true}') },
  };
  const send = () => client.request({ method: "tools/call", params: params as never }) as Promise<CallToolResult>;
  const [one, other] = await Promise.all([send(), send()]);
  const again = await send();
  expect(one.structuredContent).toEqual(again.structuredContent);
  expect([one, other].filter(({ isError }) => isError)).toHaveLength(0);
  const [threadId = ""] = asked.requestState.split(".");
  expect(await api.runs.list(threadId)).toHaveLength(2);
});

test("a state that was changed is refused", async () => {
  const { client } = await connectAnswering();
  const params = { name: "review", arguments: {}, requestState: "changed", inputResponses: {} };
  await expect(client.request({ method: "tools/call", params: params as never })).rejects.toMatchObject({ code: -32602 });
});

test("an older client gets the question as a text, and its model answers with another call", async () => {
  const client = await connectMcp(url, "2025-11-25");
  const asked = (await client.callTool({ name: "review", arguments: { topic: "hills" } })) as CallToolResult;
  const [text] = asked.content;
  const example = /only these arguments: (\{.*\})$/.exec(text?.type === "text" ? text.text : "")?.[1] ?? "{}";
  const { _resume: resume } = JSON.parse(example);
  const [key = ""] = Object.keys(resume.answers);
  const done = await client.callTool({
    name: "review",
    arguments: { _resume: { state: resume.state, answers: { [key]: { approved: true } } } },
  });
  expect(done).toMatchObject({ structuredContent: { published: expect.any(String) } });
  const wrong = client.callTool({ name: "review", arguments: { _resume: { state: 7 } } });
  await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining("_resume") });
});

test("a client without elicitation gets the question as a text too", async () => {
  const client = await connectMcp(url, "2026-07-28", { capabilities: {} });
  expect(await client.callTool({ name: "review", arguments: { topic: "lakes" } })).toMatchObject({
    content: [{ type: "text", text: expect.stringContaining("needs an answer") }],
  });
});

interface Asked {
  requestState: string;
  inputRequests: Record<string, { params: { requestedSchema?: unknown } }>;
}
const survey = (...questions: object[]) => ({ name: "survey", arguments: { questions } });

test("a response schema becomes a form, and the answer is what the form returns", async () => {
  const call = survey({ prompt: "who", form: true });
  const { requestState, inputRequests } = await resultOf<Asked>(url, "tools/call", call);
  const [[key, { params }] = ["", { params: {} }]] = Object.entries(inputRequests);
  expect(params).toMatchObject({ requestedSchema: { type: "object", properties: { age: { type: "integer" }, name: { type: "string" } } } });
  const answered = (content: object) => ({ ...call, requestState, inputResponses: { [key]: { action: "accept", content } } });
  expect(await resultOf(url, "tools/call", answered({ age: -1 }))).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining("age") }],
  });
  expect(await resultOf(url, "tools/call", answered({ age: 7 }))).toMatchObject({
    structuredContent: { answers: { who: { age: 7, name: "nobody" } } },
  });
});

test("a question that was not answered in time continues without an answer, and a late answer gets the result", async () => {
  const call = survey({ prompt: "quick", timeoutSeconds: 1 });
  const { requestState, inputRequests } = await resultOf<Asked>(url, "tools/call", call);
  const [threadId = ""] = requestState.split(".");
  await expect.poll(() => api.threads.get(threadId)).toMatchObject({ status: "idle" });
  const [key = ""] = Object.keys(inputRequests);
  const late = { ...call, requestState, inputResponses: { [key]: accept("late") } };
  expect(await resultOf(url, "tools/call", late)).toMatchObject({ structuredContent: { answers: { quick: { timedOut: true } } } });
});
