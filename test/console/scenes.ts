import type { Client } from "@langchain/langgraph-sdk";
import type { Pool } from "pg";
import { newId, systemAssistantId } from "../../src/db/ids.ts";

/** Stores the runs of an hour, as a small service would have them, so that the charts have a past. */
export async function storePastHour(db: Pool): Promise<void> {
  const threadId = newId();
  await db.query("insert into threads (thread_id, metadata, config) values ($1, '{}', '{}')", [threadId]);
  for (const graph of ["react", "pipeline", "fan-out", "chat"]) {
    await db.query(
      `insert into runs (run_id, thread_id, assistant_id, graph_id, status, multitask_strategy, metadata, kwargs, events_kept_secs,
                         created_at, updated_at, started_at, ended_at, error)
       select gen_random_uuid(), $1, $2, $3, case when n % 17 = 0 then 'error' else 'success' end::run_status, 'enqueue', '{}', '{"input": {}}', 1,
              at, at + interval '2 s', at, at + interval '2 s',
              case when n % 17 = 0 then '{"error": "APIError", "message": "429 Rate limit reached for requests"}'::json end
         from generate_series(1, 90) n, lateral (select now() - make_interval(secs => 120 + 3400 * ((n * 37) % 90) / 90.0 * (0.6 + 0.4 * sin(n)))) past (at)`,
      [threadId, systemAssistantId(graph), graph],
    );
  }
}

/** Runs some of the shipped patterns to their ends. Returns the run and the thread to show. */
export async function runPatterns(client: Client): Promise<{ run: { threadId: string; runId: string }; thread: string }> {
  const { thread_id: threadId } = await client.threads.create({ metadata: { customer: "north-rail" } });
  const task = "Review the login form. It keeps passwords in plain text.";
  const { run_id: runId } = await client.runs.create(threadId, "supervisor", { input: { task } });
  await client.runs.join(threadId, runId);

  const tasks = [
    { name: "finance", do: { task: "Summarise the revenue in one sentence" } },
    { name: "margin", do: { tool: "calculate", args: { expression: "(120 - 84) / 120" } } },
    { name: "marketing", do: { task: "Summarise the campaigns in one sentence" }, required: false },
  ];
  await onThread(client, "fan-out", { task: "Prepare the quarterly review", tasks });
  await onThread(client, "plan-execute", { task: "Compare rail and road for moving timber" });

  const { thread_id: thread } = await client.threads.create({ metadata: { customer: "north-rail" } });
  for (const content of ["Why do rivers bend?", "And why do they meet the sea in deltas?", "Name three of them."])
    await client.runs.wait(thread, "chat", { input: { messages: [{ role: "user", content }] } });
  return { run: { threadId, runId }, thread };
}

async function onThread(client: Client, graph: string, input: Record<string, unknown>, context?: Record<string, unknown>): Promise<void> {
  const { thread_id: threadId } = await client.threads.create();
  await client.runs.wait(threadId, graph, { input, ...(context && { context }) });
}

/** Leaves questions open for people. */
export async function fillInbox(client: Client): Promise<void> {
  for (const expression of ["17 * 3", "(120 - 84) / 120"]) {
    const messages = [{ role: "user", content: `What is ${expression}?` }];
    await onThread(client, "react", { messages }, { approve: ["calculate"] });
  }
}

export async function fillStore(client: Client): Promise<void> {
  await client.store.putItem(["customers", "north-rail"], "contact", { name: "Ada Brook", city: "Umeå", since: 2019 });
  await client.store.putItem(["customers", "north-rail"], "orders", { open: 3, last: "2026-11-20" });
  await client.store.putItem(["customers", "timber-works"], "contact", { name: "Jon Holm", city: "Luleå", since: 2023 });
}
