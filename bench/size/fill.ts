import type pg from "pg";

/** The number of rows of each kind in a database. */
export interface Size {
  threads: number;
  runsAThread: number;
  checkpointsARun: number;
  /** The number of pending runs, which are on five threads. */
  queued: number;
  /** The number of temporary threads whose run is pending. */
  temporary: number;
  webhooks: number;
}

/**
 * How many threads an assistant has. The number is the same in each size, so that a search for them always finds the same number of
 * threads.
 */
const threadsAnAssistant = 5_000;
const queueThreads = 5;

/**
 * Fills a migrated database. Triggers on runs and threads are turned off, and `finish` writes their effects at the end.
 *
 * The sizes differ only in tables that grow with use. The results of the measured statements stay the same, such as the threads of an
 * assistant or the failed threads.
 */
export async function fill(db: pg.Client, size: Size): Promise<void> {
  const { threads, runsAThread, checkpointsARun, queued, temporary, webhooks } = size;
  await db.query("set session_replication_role = replica"); // turns off triggers and foreign keys
  await db.query(
    `insert into assistants (assistant_id, graph_id, name)
     select lpad(to_hex(n), 32, '0')::uuid, 'g', 'a' || n from generate_series(1, $1::integer) n`,
    [Math.ceil(threads / threadsAnAssistant)],
  );
  await db.query(
    `insert into threads (thread_id, metadata, "values", resting_status, temporary, created_at, updated_at, interrupts, event_base)
     select lpad(to_hex(n), 32, '0')::uuid,
            json_build_object('graph_id', 'g', 'assistant_id', lpad(to_hex(n / $2 + 1), 32, '0')::uuid, 'n', n),
            json_build_object('topic', 'topic ' || n, 'half', n % 2, 'messages', json_build_array(json_build_object('content', repeat('word ', 100)))),
            (case when n % ($1 / 100) = 0 then 'error' when n % ($1 / 100) = 1 then 'interrupted' else 'idle' end)::thread_status, false,
            now() - make_interval(secs => n), now() - make_interval(secs => n),
            case when n % ($1 / 100) = 1 then json_build_object('task', json_build_array(json_build_object('id', md5(n::text), 'value', 'q'))) else '{}' end,
            1000000
       from generate_series(1, $1::integer) n`,
    [threads, threadsAnAssistant],
  );
  await db.query(
    `insert into threads (thread_id, temporary, created_at, updated_at)
     select ('e' || lpad(to_hex(n), 31, '0'))::uuid, n > $2, now(), now() from generate_series(1, $1::integer) n`,
    [queueThreads + temporary, queueThreads],
  );
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, graph_id, status, multitask_strategy, metadata, kwargs, events_kept_secs, created_at, updated_at,
                       ended_at, attempt, event_base, error)
     select ('1' || lpad(to_hex(n), 31, '0'))::uuid, lpad(to_hex(n / $2 + 1), 32, '0')::uuid, lpad(to_hex(n / $2 / $3 + 1), 32, '0')::uuid, 'g',
            case when failed then 'error' else 'success' end::run_status, 'enqueue', json_build_object('graph_id', 'g', 'n', n),
            json_build_object('input', null, 'config', json_build_object('configurable', json_build_object('graph_id', 'g')), 'stream_mode', json_build_array('values')),
            120, created, created, now(), 1, 1000 * n, case when failed then '{"error": "Error", "message": "failed"}'::json end
       from (select n, n % ($1 / 100) = 0 as failed, now() - make_interval(secs => $1 - n) as created from generate_series(0, $1::integer - 1) n) made`,
    [threads * runsAThread, runsAThread, threadsAnAssistant],
  );
  await db.query(
    `insert into runs (run_id, thread_id, assistant_id, graph_id, multitask_strategy, metadata, kwargs, events_kept_secs)
     select gen_random_uuid(), ('e' || lpad(to_hex(case when n <= $1 then n % $3 + 1 else n - $1 + $3 end), 31, '0'))::uuid,
            lpad('1', 32, '0')::uuid, 'g', 'enqueue', '{}', '{}', 120
       from generate_series(1, $1::integer + $2::integer) n`,
    [queued, temporary, queueThreads],
  );
  await db.query(
    `insert into checkpoints (thread_id, checkpoint_ns, checkpoint_id, checkpoint, metadata, run_id)
     select thread_id::text, '', lpad(to_hex(seq * $1 + n), 32, '0'),
            jsonb_build_object('v', 4, 'id', n, 'channel_versions', jsonb_build_object('messages', seq::text, 'topic', seq::text), 'versions_seen', '{}'::jsonb),
            jsonb_build_object('step', n, 'source', 'loop', 'graph_id', 'g', 'thread_id', thread_id), run_id
       from runs, generate_series(0, $1::integer - 1) n where status = 'success' order by runs.seq, n`,
    [checkpointsARun],
  );
  await db.query(
    `insert into checkpoint_blobs (thread_id, channel, version, type, blob, run_id)
     select thread_id::text, channel, seq::text, 'json', convert_to(to_json(repeat('word ', 100))::text, 'UTF8'), run_id
       from runs, unnest(array['messages', 'topic']) channel where status = 'success'`,
  );
  await db.query(
    `insert into webhooks (run_id, thread_id, url, host, run, due_at)
     select gen_random_uuid(), gen_random_uuid(), 'http://x', 'host' || n % 50, '{}', now() - make_interval(secs => n) from generate_series(1, $1::integer) n`,
    [webhooks],
  );
  await db.query("set session_replication_role = origin");
  await finish(db);
}

/** Writes what the triggers would have written, and updates the planner's statistics. */
async function finish(db: pg.Client): Promise<void> {
  const { rows } = await db.query("select to_regproc('settle_head') is not null as heads, to_regproc('value_marks') is not null as marks");
  if (rows[0].heads)
    await db.query(
      "update runs set head = true where run_id in (select distinct on (thread_id) run_id from runs where status = 'pending' order by thread_id, run_at, seq)",
    );
  if (rows[0].marks) await db.query(`update threads set value_marks = value_marks("values")`);
  await db.query("vacuum analyze");
}
