import { expect, test } from "vitest";
import { mended } from "../graphs/mending.ts";
import { startTestService } from "../service.ts";
import { eventually } from "../sse.ts";

const { client, fetch, db } = await startTestService();

interface Letter {
  id: string;
  kind: string;
  run_id: string | null;
  thread_id: string | null;
  item: string | null;
  node: string | null;
  error: { type: string; message: string };
  attempts: number;
  state: string;
  redrive: { run_id: string; thread_id: string } | null;
  payload?: unknown;
}

async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    method,
    ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

const lettersOf = async (threadId: string) =>
  (await ask<Letter[]>("GET", "/dead-letters?limit=1000")).filter(({ thread_id }) => thread_id === threadId);
const letter = (id: string) => ask<Letter>("GET", `/dead-letters/${id}`);
const redrive = (body: object) => ask<{ ids: string[] }>("POST", "/dead-letters/redrive", body);

/** Runs the graph until it fails, and returns its letter. */
async function fail(job: string, more: object = {}): Promise<Letter & { thread_id: string; run_id: string }> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, "mending", { input: { job, ...more }, raiseError: false } as never);
  const [written, ...others] = await lettersOf(threadId);
  expect(others).toEqual([]);
  return written as Letter & { thread_id: string; run_id: string };
}

test("a run that fails is one dead letter, and goes on from its last checkpoint when it is redriven", async () => {
  const dead = await fail("first");
  expect(dead).toMatchObject({
    ...{ kind: "run", state: "dead", attempts: 1, node: "act", redrive: null },
    error: { type: "Error", message: "first is broken" },
  });
  expect((await letter(dead.id)).payload).toEqual({ input: { job: "first" } });

  mended.add("first");
  expect(await redrive({ ids: [dead.id] })).toEqual({ ids: [dead.id] });
  await eventually(async () => (await letter(dead.id)).state).toBe("redriven");
  const { redrive: by } = await letter(dead.id);
  expect(by).toMatchObject({ thread_id: dead.thread_id });
  const { values } = await client.threads.getState<{ log: string[] }>(dead.thread_id);
  expect(values.log).toEqual(["prepared", "acted"]);
  expect((await client.runs.get(dead.thread_id, by?.run_id ?? "")).kwargs).toMatchObject({ input: null });
});
