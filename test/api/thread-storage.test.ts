import { expect, test } from "vitest";
import { startTestService } from "../service.ts";

const { client, fetch } = await startTestService();

const storageOf = async (threadId: string) => {
  const response = await fetch(`/threads/${threadId}/storage`);
  return { status: response.status, body: response.ok ? await response.json() : await response.text() };
};

test("the storage of a thread is the sum of its parts, and grows with its state", async () => {
  const { thread_id: threadId } = await client.threads.create();
  const none = { count: 0, bytes: 0 };
  expect((await storageOf(threadId)).body).toEqual({
    thread_id: threadId,
    total_bytes: 0,
    checkpoints: none,
    channel_values: { ...none, by_channel: {} },
    pending_writes: none,
  });
  await client.runs.wait(threadId, "review", { input: { topic: "x".repeat(10_000) } });
  const { body } = await storageOf(threadId);
  const { checkpoints, channel_values, pending_writes } = body;
  expect(body.total_bytes).toBe(checkpoints.bytes + channel_values.bytes + pending_writes.bytes);
  expect(checkpoints.count).toBeGreaterThan(0);
  expect(channel_values.by_channel.topic).toMatchObject({ versions: 1 });
  expect(channel_values.by_channel.topic.bytes).toBeGreaterThan(9_999);
  const ofChannels = Object.values<{ bytes: number }>(channel_values.by_channel).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(ofChannels).toBe(channel_values.bytes);
});

test("an unknown thread and an unknown cron get 404, and a cron is read by its id", async () => {
  const unknown = "00000000-0000-4000-8000-000000000000";
  expect((await storageOf(unknown)).status).toBe(404);
  expect((await fetch(`/runs/crons/${unknown}`)).status).toBe(404);
  const { cron_id: cronId } = await client.crons.create("steps", { schedule: "0 0 1 1 *", metadata: { team: "post" } });
  expect(await (await fetch(`/runs/crons/${cronId}`)).json()).toMatchObject({ cron_id: cronId, metadata: { team: "post" } });
});
