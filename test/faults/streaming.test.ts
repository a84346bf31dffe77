import { expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { clientFor } from "../service.ts";
import { collect } from "../sse.ts";
import { followThread } from "../thread-events.ts";

vi.setConfig({ testTimeout: 240_000 });

const { client, fetch, startWorker, aWorker, journalFile, begun, counts } = await startCluster();
const config = { configurable: { journal: journalFile } };

test("after a worker is killed, followers of the thread see no gap and no event twice, and later clients see the same", async () => {
  const dying = await aWorker();
  const thread = client.threads.stream({ assistantId: "relay-inside" });
  const { run_id: runId = "" } = await thread.run.start({ input: { steps: 4, stepMs: 300 }, config });
  const { threadId } = thread;
  const live = [followThread(fetch, threadId), followThread(fetch, threadId)];
  const classic = collect(client.runs.joinStream(threadId, runId));
  await until(begun(runId, "begin 2"));
  dying.child.kill("SIGKILL");
  await aWorker();

  const [events = [], others] = await Promise.all(live);
  expect(others).toEqual(events);
  const numbers = events.map(({ seq }) => seq);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(events.at(-1)?.params.data).toEqual({ event: "completed", graph_name: "relay-inside" });
  expect(events.filter(({ method, params }) => method === "lifecycle" && params.data.event === "running")).toHaveLength(1);
  const logged = (await classic).filter(({ event }) => event.startsWith("updates")).map(({ data }) => data);
  const updates = events.filter(({ method }) => method === "updates");
  expect(updates.map(({ params }) => ({ [String(params.node)]: params.data }))).toEqual(logged);
  expect(counts(runId)).toMatchObject({ "end 0": 1, "end 1": 1, "end 2": 1, "end 3": 1 });

  const another = await startWorker({ ENSEMBLE_ROLE: "api" }); // another process, which has seen no event of the run
  const { fetch: fetchThere } = clientFor([another.url ?? ""]);
  expect(await followThread(fetchThere, threadId)).toEqual(events);
  expect(await followThread(fetchThere, threadId, { since: numbers[5] })).toEqual(events.slice(6));
  await thread.close();
});

test("a run that is rolled back is streamed with its end, and its event numbers are not used again", async () => {
  await aWorker();
  const thread = client.threads.stream({ assistantId: "relay" });
  const { run_id: runId = "" } = await thread.run.start({ input: { steps: 50, stepMs: 100 }, config });
  const { threadId } = thread;
  const live = followThread(fetch, threadId);
  await until(begun(runId, "begin 2"));
  await client.runs.cancel(threadId, runId, true, "rollback");
  const gone = await live;
  expect(gone.at(-1)?.params.data).toMatchObject({ event: "interrupted" });
  await thread.run.start({ input: { steps: 1, stepMs: 1 }, config });
  const next = await followThread(fetch, threadId);
  expect(next[0]?.seq).toBeGreaterThan(gone.at(-1)?.seq ?? Number.POSITIVE_INFINITY);
  expect(await followThread(fetch, threadId, { since: gone.at(-1)?.seq })).toEqual(next);
  await thread.close();
});
