import { createHmac, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { a2aClient, asTask, data, sending } from "../a2a-client.ts";
import { until } from "../command.ts";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";

const secret = randomBytes(24);
const receiver = await startReceiver((response, path, nth) => {
  response.statusCode = path === "/gone" ? 410 : path === "/fails-once" && nth === 0 ? 500 : 200;
  response.end();
});
const { client, urls, db, fetch } = await startTestService({
  ENSEMBLE_WEBHOOK_SECRET: `whsec_${secret.toString("base64")}`,
  ENSEMBLE_WEBHOOK_INSIDE_HOSTS: "127.0.0.1",
});

const config = (taskId: string, more: object = {}) => ({
  tenant: "",
  id: "",
  taskId,
  url: `${receiver.url}/later`,
  token: "",
  authentication: undefined,
  ...more,
});
const states = (path: string) => receiver.at(path).map(({ body }) => Object(body.task ?? body).status.state);

test("a task notifies its receiver when it asks and when it ends, signed and with the token", async () => {
  const agent = await a2aClient(urls, "review", "1.0");
  const push = { url: `${receiver.url}/asks`, token: "t0ken", authentication: { scheme: "Bearer", credentials: "s3cret" } };
  const task = asTask(await agent.sendMessage(sending([data({ topic: "news" })], { push })));
  await until(() => states("/asks").length === 1);
  await agent.sendMessage(sending([data({ approved: true })], { taskId: task.id }));
  await until(() => states("/asks").length === 2);
  expect(states("/asks")).toEqual(["TASK_STATE_INPUT_REQUIRED", "TASK_STATE_COMPLETED"]);

  const [asked, done] = receiver.at("/asks");
  expect(done?.body).toMatchObject({ task: { id: task.id, contextId: task.contextId } });
  expect(done?.headers).toMatchObject({
    "content-type": "application/a2a+json",
    "x-a2a-notification-token": "t0ken",
    authorization: "Bearer s3cret",
  });
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = done?.headers ?? {};
  expect(signature).toBe(`v1,${createHmac("sha256", secret).update(`${id}.${at}.${done?.text}`).digest("base64")}`);
  expect(id).not.toBe(asked?.headers["webhook-id"]);
});

test("a client of version 0.3 gets the task in its version, and a failed delivery is tried again", async () => {
  const agent = await a2aClient(urls, "steps", "0.3");
  const task = asTask(await agent.sendMessage(sending([data({})], { push: { url: `${receiver.url}/fails-once` } })));
  await until(() => states("/fails-once").length === 2);
  expect(states("/fails-once")).toEqual(["completed", "completed"]);
  expect(receiver.at("/fails-once")[1]?.body).toMatchObject({ kind: "task", id: task.id, contextId: task.contextId });
});

test("a notification that its receiver no longer wants becomes a dead letter of its run", async () => {
  const agent = await a2aClient(urls, "steps", "1.0");
  const { id, contextId } = asTask(await agent.sendMessage(sending([data({})], { push: { url: `${receiver.url}/gone`, token: "t0ken" } })));
  const letters = async () => (await (await fetch("/dead-letters?kind=webhook")).json()) as { run_id: string }[];
  await until(async () => (await letters()).length === 1);
  expect(await letters()).toMatchObject([{ run_id: id, thread_id: contextId, kind: "webhook" }]);
  expect(JSON.stringify(await letters())).not.toContain("t0ken");
});

test.each(["1.0", "0.3"] as const)("a client of version %s keeps the configs of a task that runs", async (version) => {
  const agent = await a2aClient(urls, "slow", version);
  const { id, contextId } = asTask(await agent.sendMessage(sending([data({ until: 10_000 })], { now: true })));
  const path = `/kept-${version}`;
  const made = await agent.createTaskPushNotificationConfig(config(id, { id: "mine", url: receiver.url + path, token: "a" }));
  expect(made).toMatchObject({ id: "mine", taskId: id, token: "a" });
  await agent.createTaskPushNotificationConfig(config(id, { id: "gone" }));
  await agent.deleteTaskPushNotificationConfig({ tenant: "", taskId: id, id: "gone" });
  expect((await agent.listTaskPushNotificationConfig({ tenant: "", taskId: id, pageSize: 0, pageToken: "" })).configs).toMatchObject([
    { id: "mine", url: receiver.url + path },
  ]);
  expect(await agent.getTaskPushNotificationConfig({ tenant: "", taskId: id, id: "mine" })).toMatchObject({ id: "mine" });
  await until(async () => (await client.runs.get(contextId, id)).status === "running");
  await agent.cancelTask({ tenant: "", id, metadata: undefined });
  await until(() => states(path).length === 1);
  expect(states(path)).toEqual([version === "1.0" ? "TASK_STATE_CANCELED" : "canceled"]);
  expect(receiver.at("/later")).toEqual([]);
});

test("an address inside the network, a path and a header that cannot be sent are refused, and the message makes no run", async () => {
  const agent = await a2aClient(urls, "steps", "1.0");
  const before = await db.query("select count(*) from runs");
  const urlsToRefuse = [
    "https://169.254.169.254/latest",
    "http://localhost/",
    "https://[::1]/",
    "/runs/batch",
    "ftp://a.example/",
    "https://10.0.0.1",
  ];
  for (const url of urlsToRefuse) await expect(agent.sendMessage(sending([data({})], { push: { url } })), url).rejects.toThrow(/url: /);
  const token = "a\r\nx-evil: 1";
  await expect(agent.sendMessage(sending([data({})], { push: { url: receiver.url, token } }))).rejects.toThrow(/token: /);
  expect((await db.query("select count(*) from runs")).rows).toEqual(before.rows);
});

test("a task has at most ten configs", async () => {
  const agent = await a2aClient(urls, "slow", "1.0");
  const { id } = asTask(await agent.sendMessage(sending([data({ until: 10_000 })], { now: true })));
  const create = (nth: number) => agent.createTaskPushNotificationConfig(config(id, { id: String(nth) }));
  for (let nth = 0; nth < 10; nth++) await create(nth);
  await expect(create(10)).rejects.toThrow("A task can have 10 push notification configs.");
  await create(3);
  await agent.cancelTask({ tenant: "", id, metadata: undefined });
});
