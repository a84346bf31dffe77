import pg from "pg";
import { expect, test, vi } from "vitest";
import { createDatabase } from "../database.ts";
import { clientFor, startProcess } from "../service.ts";

vi.setConfig({ testTimeout: 240_000 });

const megabyte = 1024 * 1024;

/** Stores a thread with many checkpoints, each with a state of 1.6 MB that differs from the others, as the service would store them. */
async function storeHistory(db: pg.Client, threadId: string, checkpoints: number): Promise<void> {
  await db.query(
    `insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata)
     select $1, '', lpad(n::text, 8, '0'), jsonb_build_object('v', 4, 'id', n, 'ts', now(), 'versions_seen', '{}'::jsonb,
              'channel_versions', jsonb_build_object('last', n::text, 'log', n::text)), '{"step": 1, "source": "loop"}'
       from generate_series(1, $2::integer) n order by n`,
    [threadId, checkpoints],
  );
  await db.query(
    `insert into checkpoint_blobs (thread_id, channel, version, type, blob)
     select $1, channel, n::text, 'json', convert_to(case channel when 'last' then to_json(repeat(md5(n::text), 25000))::text
              else (select json_agg(md5(i::text) || md5(n::text)) from generate_series(1, 12000) i)::text end, 'UTF8')
       from generate_series(1, $2::integer) n, unnest(array['last', 'log']) channel`,
    [threadId, checkpoints],
  );
}

/** Reads the whole answer, as a client does. */
async function statusOf(response: Response): Promise<number> {
  await response.arrayBuffer();
  return response.status;
}

test("a process with 512 MB of heap survives all large requests at once, and answers /ok meanwhile", async () => {
  const databaseUrl = await createDatabase();
  const service = await startProcess({
    ENSEMBLE_CONFIG: "test/graphs/langgraph.json",
    DATABASE_URL: databaseUrl,
    PORT: "0",
    LOG_LEVEL: "warn",
    NODE_OPTIONS: "--max-old-space-size=512",
  });
  const { client, fetch } = clientFor([service.url ?? ""]);
  const db = new pg.Client(databaseUrl);
  await db.connect();
  try {
    const { thread_id: threadId } = await client.threads.create({ metadata: { graph_id: "steps", large: 1 } });
    await storeHistory(db, threadId, 100);
    await db.query(`update threads set "values" = json_build_object('text', repeat(md5('x'), 50000))`);
    await db.query(
      `insert into threads (thread_id, metadata, "values") select gen_random_uuid(), metadata, "values" from threads, generate_series(1, 200)`,
    );
    const { assistant_id: large } = await client.assistants.create({ graphId: "steps", context: { text: "x".repeat(2 * megabyte) } });

    const post = (path: string, body: object | string) => () =>
      fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
        signal: AbortSignal.timeout(200_000),
      });
    const copies = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`alias${n}`, "values"]));
    const requests = [
      () => fetch(`/threads/${threadId}/history?limit=1000`),
      post("/threads/search", { limit: 1_000, metadata: { large: 1 } }),
      post("/threads/search", { limit: 10, metadata: { large: 1 }, extract: copies }),
      post("/threads", `[${"[],".repeat(16_000_000)}[]]`),
      post(
        "/runs/batch",
        Array.from({ length: 150 }, () => ({ assistant_id: large, input: {}, after_seconds: 600 })),
      ),
    ];
    let isDone = false;
    let answered = 0;
    const lookAgain = async () => {
      while (!isDone) {
        expect((await fetch("/ok")).status).toBe(200);
        answered++;
      }
    };
    const looking = lookAgain();
    const answers = await Promise.all(Array.from({ length: 8 }, () => requests.map((send) => send().then(statusOf))).flat());
    isDone = true;
    await looking;
    expect(answered).toBeGreaterThan(0);
    expect([...new Set(answers)].sort()).toEqual(expect.arrayContaining([200, 413]));
    expect(answers.filter((status) => ![200, 413, 429].includes(status))).toEqual([]);
    // The service still works: it runs a graph, and the same requests succeed one after another.
    expect(await client.runs.wait(null, "steps", { input: { log: [] } })).toMatchObject({ last: "three" });
    for (const send of requests) expect([200, 413]).toContain((await send()).status);
    expect(service.child.exitCode).toBeNull();
  } finally {
    await db.end();
    await service.stop();
  }
});
