import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { lettersAt } from "../dead-letters.ts";
import { startReceiver } from "../receiver.ts";
import { startTestService } from "../service.ts";
import { collect, eventually } from "../sse.ts";
import { findTraces } from "./traces.ts";

const secret = "Zaubernuss-4711-geheim";
const answer = "Mondlicht-0815-geheim";

const ways = {
  "the handlers of a project": { ENSEMBLE_CONFIG: resolve("test/graphs/with-encryption/langgraph.json") },
  LANGGRAPH_AES_KEY: {
    ENSEMBLE_CONFIG: resolve("test/graphs/with-encryption/plain.json"),
    LANGGRAPH_AES_KEY: "an AES key that has 32 bytes, ok",
    LANGGRAPH_AES_JSON_KEYS: "secret",
  },
  nothing: { ENSEMBLE_CONFIG: resolve("test/graphs/with-encryption/plain.json") },
};

/** Uses the service in many ways, with the secret in every value. Checks that the API returns what was stored. */
async function confideIn(env: Record<string, string>) {
  const receiver = await startReceiver((response) => response.writeHead(410).end());
  const { client, db, fetch } = await startTestService({ ...env, ENSEMBLE_WEBHOOK_INSIDE_HOSTS: receiver.host });
  const metadata = { secret, owner: "ada" };
  const assistant = await client.assistants.create({ graphId: "confidant", context: { tone: secret }, metadata });
  await client.assistants.update(assistant.assistant_id, { config: { configurable: { style: secret } }, metadata: { kind: "x" } });
  const { thread_id } = await client.threads.create({ metadata });
  const given = {
    input: { secret, messages: [{ role: "user", content: `Keep ${secret}` }] },
    config: { configurable: { tone: secret } },
    metadata,
    webhook: `${receiver.url}/hook`,
  };
  const streamed = await collect(
    client.runs.stream(thread_id, assistant.assistant_id, {
      ...given,
      streamMode: ["values", "updates", "custom", "messages-tuple", "tasks"],
      streamResumable: true,
    }),
  );
  expect(JSON.stringify(streamed)).toContain(`What about ${secret}?`);
  const [asked] = await client.runs.list(thread_id);
  expect(asked).toMatchObject({ metadata, kwargs: { input: given.input, config: { configurable: { tone: secret } } } });
  const joined = await collect(client.runs.joinStream(thread_id, asked!.run_id, { lastEventId: "-1" }));
  expect(JSON.stringify(joined)).toContain(secret);

  const thread = await client.threads.get(thread_id);
  expect(thread).toMatchObject({ status: "interrupted", metadata, values: { secret } });
  const [question] = Object.values(thread.interrupts).flat();
  expect(question?.value).toEqual({ question: `What about ${secret}?` });
  const questions = await (
    await fetch("/interrupts/search", { method: "POST", body: "{}", headers: { "content-type": "application/json" } })
  ).json();
  expect(JSON.stringify(questions)).toContain(`What about ${secret}?`);

  const again = await client.runs.wait(thread_id, assistant.assistant_id, { command: { resume: { said: answer } } });
  expect(again).toMatchObject({ __interrupt__: [{ value: { question: `Really, ${secret}?` } }] });
  const done = await client.runs.wait(thread_id, assistant.assistant_id, { command: { resume: "yes" } });
  expect(done).toMatchObject({ secret, answer: { said: answer } });
  return { client, db, fetch, thread_id, receiver, assistant, metadata };
}

describe.each(Object.entries(ways))("with %s", (way, env) => {
  const isEncrypted = way !== "nothing";

  test("a secret comes back through the API, and is nowhere in the database", async () => {
    const { client, db, fetch, thread_id, receiver, assistant, metadata } = await confideIn(env);

    const history = await client.threads.getHistory(thread_id, { limit: 100 });
    expect(history.length).toBeGreaterThan(3);
    expect(JSON.stringify(history.at(-1))).toContain(secret);
    const state = await client.threads.getState(thread_id, undefined, { subgraphs: true });
    const { messages } = state.values as { messages: { content: string }[] };
    expect(messages).toHaveLength(23);
    expect(messages.at(-1)?.content).toBe(`Answered: {"said":"${answer}"}`);
    expect(messages.at(5)?.content).toBe(`4: ${secret}`);

    await client.threads.updateState(thread_id, {
      values: { secret: `${secret} again`, messages: [{ role: "user", content: secret }] },
      asNode: "ponder",
    });
    expect((await client.threads.getState(thread_id)).values).toMatchObject({ secret: `${secret} again` });
    await client.threads.patchState(thread_id, { note: secret, source: "patched" });
    const fork = history.find(({ next }) => next.includes("ask"));
    const forked = await client.runs.wait(thread_id, "confidant", { input: null, checkpointId: fork!.checkpoint.checkpoint_id! });
    expect(JSON.stringify(forked)).toContain(`What about ${secret}?`);
    const copied = await client.threads.copy(thread_id);
    expect((await client.threads.getState((copied as unknown as { thread_id: string }).thread_id)).values).toMatchObject({ secret });
    expect(await client.threads.search({ metadata: { owner: "ada" } })).not.toHaveLength(0);

    await client.store.putItem(["notes"], "note", { text: secret, topic_id: "t2" });
    expect(await client.store.getItem(["notes"], "note")).toMatchObject({ value: { text: secret, topic_id: "t2" } });
    expect((await client.store.searchItems(["secrets"])).items).toMatchObject([{ value: { text: secret } }]);
    if (way !== "LANGGRAPH_AES_KEY")
      expect((await client.store.searchItems([], { filter: { topic_id: "t2" } })).items).toMatchObject([{ value: { text: secret } }]);

    const cron = await client.crons.createForThread(thread_id, "confidant", {
      schedule: "0 0 1 1 *",
      input: { secret },
      config: { configurable: { tone: secret } },
      metadata,
    } as never);
    expect((await client.crons.search()).at(0)).toMatchObject({ payload: { input: { secret } } });
    expect(cron).toMatchObject({ metadata });
    expect(await client.assistants.get(assistant.assistant_id)).toMatchObject({
      context: { tone: secret },
      config: { configurable: { style: secret } },
    });
    expect(await client.assistants.getVersions(assistant.assistant_id)).toHaveLength(2);

    const post = (path: string, body: object) =>
      fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
    const asking = await post(`/threads/${thread_id}/runs/wait`, {
      assistant_id: "confidant",
      input: { secret },
      feedback_keys: ["thumb"],
    });
    const { pathname } = new URL((await asking.json()).__feedback__.thumb);
    const feedback = { value: secret, comment: secret, correction: { text: secret }, metadata: { secret } };
    const given = await post(pathname, feedback);
    expect(given.status).toBe(200);
    const forged = new URLSearchParams({ comment: "ensemble.sealed:at:WyJhIiwiYiJd:AAAA" });
    expect((await fetch(`${pathname}?${forged}`)).status).toBe(422);
    const search = await post("/feedback/search", {});
    expect(await search.json()).toMatchObject([feedback]);

    const letters = lettersAt({ fetch });
    await client.runs.wait(thread_id, "tattler", { input: { secret } }).catch(() => {});
    await client.runs.wait(null, "tattler", { input: { secret } }).catch(() => {});
    const listed = await letters.list();
    const part = listed.find(({ item }) => item === "part");
    expect(await letters.get(part!.id)).toMatchObject({
      error: { message: `lost ${secret}` },
      payload: { input: { secret }, context: { tone: secret } },
    });
    expect(listed.filter(({ kind }) => kind === "run").map(({ error }) => error.message)).toEqual([
      `I must not tell ${secret}`,
      `I must not tell ${secret}`,
    ]);

    const told = await post("/v1/responses", { model: "confidant", input: secret, instructions: secret, metadata: { secret } });
    const { id } = (await told.json()) as { id: string };
    expect(await (await fetch(`/v1/responses/${id}`)).json()).toMatchObject({ instructions: secret, metadata: { secret } });

    await eventually(() => receiver.at("/hook").length).toBeGreaterThan(0);
    expect(receiver.at("/hook")[0]?.text).toContain(secret);

    const traces = new Set([...(await findTraces(db, secret)), ...(await findTraces(db, answer))]);
    expect([...traces].sort()).toEqual(isEncrypted ? [] : everyTrace);
  });
});

/** The columns in which the secret stands if values are not encrypted. The list shows that the test above looks at all of them. */
const everyTrace = [
  "assistant_versions.config",
  "assistant_versions.context",
  "assistant_versions.metadata",
  "assistants.config",
  "assistants.context",
  "assistants.metadata",
  "cache_entries.value",
  "checkpoint_blobs.blob",
  "checkpoint_writes.blob",
  "checkpoints.metadata",
  "crons.metadata",
  "crons.payload",
  "dead_letters.error",
  "dead_letters.kwargs",
  "dead_letters.metadata",
  "dead_letters.payload",
  "effects.result",
  "feedback.comment",
  "feedback.correction",
  "feedback.metadata",
  "feedback.thread_metadata",
  "feedback.value",
  "replaced_writes.blob",
  "run_events.data",
  "runs.error",
  "runs.kwargs",
  "runs.metadata",
  "runs.output",
  "runs.timeline",
  "store_items.value",
  "threads.config",
  "threads.interrupts",
  "threads.metadata",
  "threads.values",
  "webhooks.metadata",
  "webhooks.run",
];
