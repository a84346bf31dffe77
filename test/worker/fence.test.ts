import pg from "pg";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ensureSystemAssistants } from "../../src/assistants/assistants.ts";
import { storeEntry } from "../../src/cache/entries.ts";
import { noRows } from "../../src/checkpoints/rows.ts";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { systemAssistantId } from "../../src/db/ids.ts";
import { everything } from "../../src/db/scope.ts";
import type { Db } from "../../src/db/sql.ts";
import { storeEffect } from "../../src/effects/effects.ts";
import { takeResources } from "../../src/resources/grants.ts";
import { ensureResources } from "../../src/resources/resources.ts";
import { releaseRun } from "../../src/runs/claim.ts";
import { endRun, endRuns } from "../../src/runs/end.ts";
import { takeOver } from "../../src/runs/workers.ts";
import { putItem } from "../../src/store/items.ts";
import { storeSteps } from "../../src/worker/steps.ts";
import { createDatabase } from "../database.ts";

const db = new pg.Pool({ connectionString: await createDatabase(), max: 5 });
afterAll(() => db.end());
await ensureSystemAssistants(db, [{ graph_id: "g", name: "g", description: undefined, config: {}, context: {} }]);
await ensureResources(db, { db: { pool: 1_000 } });

let runId: string;
let threadId: string;
let workerId: string;

/** Creates a run in its second attempt. */
beforeEach(async () => {
  [runId, threadId] = [crypto.randomUUID(), crypto.randomUUID()];
  workerId = crypto.randomUUID();
  await db.query("insert into workers (worker_id, lock_key, host, pid) values ($1, nextval('worker_lock_keys'), 'test', 1)", [workerId]);
  await db.query("insert into threads (thread_id) values ($1)", [threadId]);
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, status, multitask_strategy, metadata, kwargs, attempt, worker_id, started_at, events_kept_secs)
     values ($1, $2, $3, 'running', 'enqueue', '{}', '{}', 2, $4, now(), 60)`,
    [runId, threadId, systemAssistantId("g"), workerId],
  );
});

const checkpoint = (id: string) => ({
  v: 4,
  id,
  ts: new Date().toISOString(),
  channel_values: { x: 1 },
  channel_versions: { x: 1.5 },
  versions_seen: {},
});
const end = { status: "success", output: null, error: null, thread: undefined } as const;

/** All kinds of writes of an attempt. Each function returns whether the write was accepted. */
const writes: Record<string, (on: Db, attempt: number) => Promise<boolean>> = {
  "a checkpoint": (on, attempt) =>
    withSaver(on, attempt, (saver) =>
      saver.put({ configurable: { thread_id: threadId } }, checkpoint("c1"), { source: "loop", step: 1, parents: {} }, { x: 1.5 }),
    ),
  "a pending write": (on, attempt) =>
    withSaver(on, attempt, (saver) => saver.putWrites({ configurable: { thread_id: threadId, checkpoint_id: "c0" } }, [["x", 1]], "task")),
  "an answer": (on, attempt) =>
    withSaver(on, attempt, (saver) =>
      saver.putWrites({ configurable: { thread_id: threadId, checkpoint_id: "c0" } }, [["__resume__", 1]], "task"),
    ),
  "an event": (on, attempt) => storeEvent(on, attempt),
  "an effect": (on, attempt) => storeEffect(on, { runId, attempt }, "task", "pay", "1"),
  "a cached result": (on, attempt) => {
    const entry = { namespace: "[]", key: "k", type: "json", value: Buffer.from("1") };
    return storeEntry(on, { runId, attempt }, runId, entry, 60);
  },
  "an item of the store": (on, attempt) =>
    putItem(on, everything, { runId, attempt }, { namespace: [runId], key: "k", value: {}, ttlMinutes: null }),
  "a request for resources": async (on, attempt) => {
    const request = { holder: crypto.randomUUID(), runId, attempt, priority: 3, waitSeconds: 1, inside: [] };
    return (await takeResources(on, { ...request, needs: [["db", 1]] })) === "held";
  },
  "the end": (on, attempt) => endRun(on, { runId, attempt, threadId, end }),
  "the end among others": async (on, attempt) => (await endRuns(on, [{ runId, attempt, threadId, end }]))[0] ?? false,
  "giving back": (on, attempt) => releaseRun(on, { runId, attempt }),
};

/** Stores an event as workers do. */
async function storeEvent(on: Db, attempt: number): Promise<boolean> {
  const events = [{ id: 0, event: "values", data: "{}" }];
  const [storedAt] = await storeSteps(on, [{ fence: { runId, attempt }, events, rows: noRows }]);
  return storedAt !== undefined;
}

async function withSaver(on: Db, attempt: number, write: (saver: EnsembleSaver) => Promise<unknown>): Promise<boolean> {
  let refused = false;
  const fence = { runId, attempt };
  const saver = new EnsembleSaver(
    on,
    {},
    {
      fence,
      isFresh: false,
      unlessRefused: (work) => work(),
      store: async (rows) => (await storeSteps(on, [{ fence, events: [], rows }]))[0] !== undefined,
      refused: () => (refused = true),
      currentNode: () => undefined,
      nested: { noteNestedStep() {}, noteNestedTask() {} },
      room: async () => {},
    },
  );
  await write(saver);
  return !refused;
}

async function stored(): Promise<number> {
  const { rows } = await db.query(
    `select (select count(*) from checkpoints where thread_id = $1::text) + (select count(*) from checkpoint_blobs where thread_id = $1::text)
          + (select count(*) from checkpoint_writes where thread_id = $1::text) + (select count(*) from run_events where run_id = $2)
          + (select count(*) from effects where run_id = $2)
          + (select count(*) from grants where run_id = $2)
          + (select count(*) from cache_entries where scope = $2::text)
          + (select count(*) from store_items where namespace = array[$2::text]) as count`,
    [threadId, runId],
  );
  return Number(rows[0].count);
}

describe.each(Object.entries(writes))("%s", (name, write) => {
  test("is let for the attempt that the run is in", async () => {
    expect(await write(db, 2)).toBe(true);
    expect((await stored()) > 0).toBe(!["the end", "the end among others", "giving back"].includes(name));
  });

  test("is refused to an earlier attempt, and to a run that was given back, ended or deleted", async () => {
    expect(await write(db, 1)).toBe(false);
    const others = [
      "update runs set status = 'pending', worker_id = null where run_id = $1",
      "update runs set status = 'interrupted', ended_at = now() where run_id = $1",
      "delete from runs where run_id = $1",
    ];
    for (const fate of others) {
      await db.query(fate, [runId]);
      expect(await write(db, 2)).toBe(false);
    }
    expect(await stored()).toBe(0);
    if (name !== "giving back") return;
    expect((await db.query("select 1 from runs where run_id = $1 and status = 'running'", [runId])).rows).toEqual([]);
  });
});

test("a takeover waits for a write that has begun, so that the next attempt reads it", async () => {
  const writer = await db.connect();
  await writer.query("begin");
  expect(await storeEvent(writer, 2)).toBe(true);
  let taken = false;
  const takeover = db.query("update runs set status = 'pending', worker_id = null where run_id = $1", [runId]).then(() => (taken = true));
  for (;;) {
    const { rows } = await db.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'update runs set status%'",
    );
    if (rows.length > 0 || taken) break;
  }
  expect(taken).toBe(false);
  await writer.query("commit");
  writer.release();
  await takeover;
});

test("a takeover does not wait for a run that somebody holds: it takes it the next time", async () => {
  const [holder, observer] = [await db.connect(), await db.connect()];
  onTestFinished(() => {
    for (const client of [holder, observer]) client.release(true);
  });
  await observer.query("set lock_timeout = '1s'");
  await holder.query("begin");
  await holder.query("select 1 from runs where run_id = $1 for update", [runId]);
  expect(await takeOver(observer, [workerId], true)).toEqual([]);
  await holder.query("rollback");
  expect(await takeOver(observer, [workerId], true)).toEqual([runId]);
});
