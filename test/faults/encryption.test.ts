import { resolve } from "node:path";
import { expect, test } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { findTraces } from "../encryption/traces.ts";
import { collect } from "../sse.ts";

const secret = "Zaubernuss-4711-geheim";

test("with encryption, another worker takes over a run, and a stream of another process continues", async () => {
  const project = resolve("test/graphs/with-encryption/langgraph.json");
  const cluster = await startCluster({ ENSEMBLE_CONFIG: project });
  const { client, db, begun, journalFile, counts } = cluster;
  const workers = await Promise.all([cluster.startWorker(), cluster.startWorker()]);
  const { thread_id } = await client.threads.create({ metadata: { note: secret } });
  const configurable = { journal: journalFile, note: secret };
  const input = { steps: 4, stepMs: 400, parts: [secret] };
  const { run_id } = await client.runs.create(thread_id, "relay", {
    input,
    config: { configurable },
    streamMode: ["values"],
    streamResumable: true,
  });
  const streamed = collect(client.runs.joinStream(thread_id, run_id, { lastEventId: "-1" }));
  await until(begun(run_id, "begin 2"));
  const executor = cluster.journal(run_id).at(-1)?.pid;
  workers.find(({ child }) => child.pid === executor)?.child.kill("SIGKILL");

  expect(await client.runs.join(thread_id, run_id)).toMatchObject({ done: 4, parts: [secret] });
  const values = (await streamed).filter(({ event }) => event === "values");
  expect(values.at(-1)?.data).toMatchObject({ done: 4, parts: [secret] });
  expect(counts(run_id)).toMatchObject({ "begin 0": 1, "begin 1": 1, "begin 2": 2, "begin 3": 1, "end 3": 1 });
  expect(await findTraces(db, secret)).toEqual([]);
});
