import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { beforeEach, expect, test } from "vitest";
import { startOpenAi } from "./service.ts";

const { openai, model, client, db, fetch } = await startOpenAi();
beforeEach(() => model.script({ tokens: ["Hel", "lo."] }));

const runIdOf = ({ id }: { id: string }) => id.slice("resp_".length);
const read = ({ id }: { id: string }) => openai.responses.retrieve(id);
const threadOf = async (response: { id: string }): Promise<string> =>
  (await db.query("select thread_id from runs where run_id = $1", [runIdOf(response)])).rows[0].thread_id;
const unknown = { status: 404, code: "response_not_found" };

/** Lets the model answer only after the returned function was called. */
function holdModel(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  model.respond(async () => {
    await promise;
    return { tokens: ["Hel", "lo."] };
  });
  return resolve;
}

test("a response is read again as it was given", async () => {
  const tools = [{ type: "function" as const, name: "weather", parameters: { type: "object", properties: {} }, strict: false }];
  const request = { model: "tooled", instructions: "Be brief.", input: "Hi", tools, metadata: { city: "Rome" } };
  const given = await openai.responses.create(request);
  expect(given).toMatchObject({ output_text: "Hello.", instructions: "Be brief.", metadata: { city: "Rome" } });
  expect(await read(given)).toEqual(given);
  const next = await openai.responses.create({ model: "plain", input: "2", previous_response_id: given.id });
  expect(await read(given)).toEqual(given);
  expect(await read(next)).toEqual(next);
});

test("a response in the background is queued at once, and is complete later", async () => {
  const release = holdModel();
  const given = await openai.responses.create({ model: "chat", input: "Hi", background: true });
  expect(given).toMatchObject({ status: "queued", background: true, output: [] });
  await expect.poll(async () => (await read(given)).status).toBe("in_progress");
  release();
  await expect.poll(async () => (await read(given)).status).toBe("completed");
  expect(await read(given)).toMatchObject({ id: given.id, output_text: "Hello.", background: true });
});

test("a client that has lost its stream of a response in the background reads on where it was", async () => {
  const release = holdModel();
  const seen: ResponseStreamEvent[] = [];
  const stream = await openai.responses.create({ model: "chat", input: "Hi", background: true, stream: true });
  for await (const event of stream) {
    seen.push(event);
    if (event.type === "response.in_progress") break; // closes the connection
  }
  const id = seen[0]?.type === "response.created" ? seen[0].response.id : "";
  const events = async (more: object) => {
    const all: ResponseStreamEvent[] = [];
    for await (const event of await openai.responses.retrieve(id, { stream: true, ...more })) all.push(event);
    return all;
  };
  const going = events({ starting_after: seen.at(-1)?.sequence_number });
  release();
  seen.push(...(await going));
  expect(seen.map(({ sequence_number }) => sequence_number)).toEqual(seen.map((_, index) => index));
  expect(seen.flatMap((event) => (event.type === "response.output_text.delta" ? event.delta : []))).toEqual(["Hel", "lo."]);
  expect(await events({})).toEqual(seen);
  expect(await openai.responses.stream({ response_id: id, starting_after: 0 } as never).finalResponse()).toMatchObject({
    output_text: "Hello.",
  });
});

test("a response in the background can be cancelled, and a complete one stays complete", async () => {
  model.script({ tokens: ["Wait"], hang: true });
  const given = await openai.responses.create({ model: "chat", input: "Hi", background: true });
  await expect.poll(() => model.requests.length).toBe(1);
  expect(await openai.responses.cancel(given.id)).toMatchObject({ id: given.id, status: "cancelled", output: [] });
  await model.abandoned();
  expect((await read(given)).status).toBe("cancelled");
  model.script({ tokens: ["Done."] });
  const complete = await openai.responses.create({ model: "chat", input: "Hi" });
  expect(await openai.responses.cancel(complete.id)).toMatchObject({ status: "completed", output: complete.output });
});

test("a question is read again, and a failure says what went wrong", async () => {
  const asked = await openai.responses.create({ model: "asking", input: "Paint!", background: true });
  await expect.poll(async () => (await read(asked)).output_text).toContain("Which colour");
  const answered = await openai.responses.create({ model: "asking", input: "Red", previous_response_id: asked.id, background: true });
  await expect.poll(async () => (await read(answered)).output_text).toBe("You like Red.");
  const failing = await openai.responses.create({ model: "failing", input: "Hi", background: true });
  await expect.poll(async () => (await read(failing)).status).toBe("failed");
  expect((await read(failing)).error).toMatchObject({ code: "server_error", message: expect.stringContaining("The oven is cold.") });
});

test("a response that is not stored cannot be read, nor work in the background", async () => {
  const unstored = await openai.responses.create({ model: "plain", input: "1", store: false });
  await expect(read(unstored)).rejects.toMatchObject(unknown);
  const asking = openai.responses.create({ model: "plain", input: "1", store: false, background: true });
  await expect(asking).rejects.toMatchObject({ status: 400, param: "background" });
});

test.each([
  ["retrieve", (id: string) => openai.responses.retrieve(id)],
  ["cancel", (id: string) => openai.responses.cancel(id)],
  ["delete", (id: string) => openai.responses.delete(id)],
])("%s refuses what is no response", async (_, ask) => {
  const { thread_id } = await client.threads.create();
  const { run_id } = await client.runs.create(thread_id, "plain", { input: { messages: [{ role: "user", content: "Hi" }] } });
  for (const id of ["x", "resp_x", `resp_${crypto.randomUUID()}`, `resp_${run_id}`]) await expect(ask(id)).rejects.toMatchObject(unknown);
});

test("a deleted response is gone, and the newer responses of its thread stay", async () => {
  const first = await openai.responses.create({ model: "plain", input: "1" });
  const next = await openai.responses.create({ model: "plain", input: "2", previous_response_id: first.id });
  const deleted = await (await fetch(`/v1/responses/${first.id}`, { method: "DELETE" })).json();
  expect(deleted).toEqual({ id: first.id, object: "response", deleted: true });
  await expect(read(first)).rejects.toMatchObject(unknown);
  await expect(openai.responses.delete(first.id)).rejects.toMatchObject(unknown);
  await expect(openai.responses.create({ model: "plain", input: "3", previous_response_id: first.id })).rejects.toMatchObject({
    status: 404,
  });
  expect(await read(next)).toEqual(next);
  const last = await openai.responses.create({ model: "plain", input: "3", previous_response_id: next.id });
  expect(last.output_text).toMatch(/^5: human 1 .* human 2 .* human 3$/);
  const thread = await threadOf(last);
  for (const { id } of [last, next]) await openai.responses.delete(id);
  expect((await client.threads.getState(thread)).values).toEqual({});
});

test("a response whose events are deleted is no longer stored, but the next one continues it", async () => {
  const given = await openai.responses.create({ model: "plain", input: "1" });
  await db.query("delete from run_events where run_id = $1", [runIdOf(given)]);
  await db.query("update runs set events_until = null where run_id = $1", [runIdOf(given)]);
  await expect(read(given)).rejects.toMatchObject({ status: 404, code: "response_expired" });
  await expect(openai.responses.retrieve(given.id, { stream: true })).rejects.toMatchObject({ status: 404, code: "response_expired" });
  const next = await openai.responses.create({ model: "plain", input: "2", previous_response_id: given.id });
  expect(next.output_text).toContain("human 2");
});

test("the events of a stored response are kept as long as those of a resumable run", async () => {
  const stored = await openai.responses.create({ model: "plain", input: "1" });
  const unstored = await openai.responses.create({ model: "plain", input: "2", previous_response_id: stored.id, store: false });
  const { rows } = await db.query("select events_kept_secs from runs where run_id = any($1) order by seq", [
    [stored, unstored].map(runIdOf),
  ]);
  expect(rows).toEqual([{ events_kept_secs: 86_400 }, { events_kept_secs: 120 }]);
});
