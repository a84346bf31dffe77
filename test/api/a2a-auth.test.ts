import { fileURLToPath } from "node:url";
import { TaskState } from "@a2a-js/sdk";
import { expect, test } from "vitest";
import { a2aClient, asTask, data, sending } from "../a2a-client.ts";
import { startTestService } from "../service.ts";

const project = fileURLToPath(new URL("../graphs/with-auth/langgraph.json", import.meta.url));
const { urls, fetch } = await startTestService({ ENSEMBLE_CONFIG: project });
const bearer = (name: string) => ({ authorization: `Bearer ${name}` });
const agentFor = (name: string, assistant = "review") => a2aClient(urls, assistant, "1.0", bearer(name));
const listing = { tenant: "", contextId: "", status: 0, pageToken: "", statusTimestampAfter: undefined };

test("a user reads, answers, cancels, follows and lists only own tasks", async () => {
  const [alice, bob] = [await agentFor("alice"), await agentFor("bob")];
  const { id, contextId } = asTask(await alice.sendMessage(sending([data({ topic: "mine" })])));
  const missing = "Task not found";
  await expect(bob.getTask({ tenant: "", id })).rejects.toThrow(missing);
  await expect(bob.cancelTask({ tenant: "", id, metadata: undefined })).rejects.toThrow(missing);
  await expect(bob.resubscribeTask({ tenant: "", id }).next()).rejects.toThrow(missing);
  await expect(bob.sendMessage(sending([data({ approved: true })], { taskId: id }))).rejects.toThrow(missing);
  await expect(bob.sendMessage(sending([data({ topic: "x" })], { contextId }))).rejects.toThrow(/not found|exists/);
  await expect(bob.listTaskPushNotificationConfig({ tenant: "", taskId: id, pageSize: 0, pageToken: "" })).rejects.toThrow(missing);
  expect((await bob.listTasks(listing)).tasks).toEqual([]);
  expect((await alice.listTasks(listing)).tasks).toMatchObject([{ id, status: { state: TaskState.TASK_STATE_INPUT_REQUIRED } }]);
});

test("the same message of two users makes two tasks", async () => {
  const [alice, bob] = [await agentFor("alice", "steps"), await agentFor("bob", "steps")];
  const message = sending([data({})]);
  const [one, two] = [asTask(await alice.sendMessage(message)), asTask(await bob.sendMessage(message))];
  expect(one.id).not.toBe(two.id);
  expect(asTask(await alice.sendMessage(message)).id).toBe(one.id);
});

test("a refusal of auth has its own status", async () => {
  const call = async (name: string, body: object) =>
    (await fetch("/a2a/steps", { method: "POST", headers: bearer(name), body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...body }) })).status;
  const message = { messageId: "m", role: "ROLE_USER", parts: [{ data: { last: "everything" } }] };
  expect(await call("nobody", { method: "SendMessage", params: { message } })).toBe(401);
  expect(await call("thrifty", { method: "SendMessage", params: { message } })).toBe(403);
  expect(await call("thrifty", { method: "SendStreamingMessage", params: { message } })).toBe(403);
  const guest = await agentFor("guest", "slow");
  const { id } = asTask(await guest.sendMessage(sending([data({ until: 10_000 })], { now: true })));
  await expect(guest.cancelTask({ tenant: "", id, metadata: undefined })).rejects.toThrow(/403/);
  const admin = await agentFor("admin", "slow");
  expect((await admin.cancelTask({ tenant: "", id, metadata: undefined })).status?.state).toBe(TaskState.TASK_STATE_CANCELED);
});

test("a card needs credentials, and names how to send them", async () => {
  const path = "/a2a/steps/.well-known/agent-card.json";
  expect((await fetch(path)).status).toBe(401);
  const card = await (await fetch(path, { headers: { ...bearer("alice"), "a2a-version": "1.0" } })).json();
  expect(Object.keys(card.securitySchemes)).toEqual(["apiKey", "bearer"]);
  expect(await (await agentFor("alice")).getAgentCard()).toMatchObject({ name: "review" });
});
