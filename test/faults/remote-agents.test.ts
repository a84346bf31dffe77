import { beforeEach, expect, test, vi } from "vitest";
import { startCluster, until } from "../cluster-of-processes.ts";
import { startModelServer } from "../model-server.ts";
import { startRemoteAgents } from "../remote-agent.ts";

vi.setConfig({ testTimeout: 240_000 });

const model = await startModelServer();
const remote = await startRemoteAgents();
const kinds = ["plain", "newer-streaming"];
const a2a = Object.fromEntries(kinds.map((kind) => [kind, { url: `http://127.0.0.1:${remote.port}/${kind}` }]));
const { client, db, aWorker, rowOf } = await startCluster({
  ENSEMBLE_CONFIG: remote.project(a2a),
  OPENAI_BASE_URL: model.baseUrl,
  OPENAI_API_KEY: "test",
  WORKER_DRAIN_TIMEOUT: "0.5",
});

beforeEach(() => {
  remote.received.length = 0;
  remote.cancelled.length = 0;
});

async function start(kind: string) {
  model.script({ toolCall: { id: "call_1", name: `a2a__${kind}`, args: { task: "wait for it" } } }, { tokens: ["Done."] });
  const { thread_id: threadId } = await client.threads.create();
  const input = { messages: [{ role: "user", content: "Do it" }] };
  return client.runs.create(threadId, "react", { input, context: { tools: [`a2a:${kind}`] } });
}

test.each(kinds.flatMap((kind) => (["SIGKILL", "SIGTERM"] as const).map((signal) => ({ kind, signal }))))(
  "after a $signal, the next attempt waits for the same task of $kind, and the message is not sent again",
  async ({ kind, signal }) => {
    const dying = await aWorker();
    const run = await start(kind);
    const stored = async () => (await db.query("select from effects where run_id = $1", [run.run_id])).rowCount;
    await until(async () => (await stored()) === 1);
    dying.child.kill(signal);
    await dying.exited;
    await aWorker();
    remote.finish("found");
    const { steps } = (await client.runs.join(run.thread_id, run.run_id)) as unknown as { steps: { observation: string }[] };
    expect(steps.map(({ observation }) => observation)).toEqual(["found"]);
    expect(await rowOf(run.run_id)).toMatchObject({ status: "success", attempt: 2 });
    expect(remote.received).toHaveLength(1);
    expect(remote.cancelled).toEqual([]);
  },
);
