import { randomUUID } from "node:crypto";
import { findAssistantsToRun } from "../../src/assistants/assistants.ts";
import { scopeOf } from "../../src/auth/filter.ts";
import { lastCheckpointOfRun } from "../../src/checkpoints/lifecycle.ts";
import { noRows, storeRows } from "../../src/checkpoints/rows.ts";
import { EnsembleSaver } from "../../src/checkpoints/saver.ts";
import { findDueCrons } from "../../src/crons/fire.ts";
import { everything } from "../../src/db/scope.ts";
import { type Db, sql } from "../../src/db/sql.ts";
import { noteAbsentGraphs } from "../../src/runs/absent.ts";
import { type Claim, claimRuns, releaseRun } from "../../src/runs/claim.ts";
import { endRuns } from "../../src/runs/end.ts";
import { readQueue, readRunCounts } from "../../src/runs/figures.ts";
import { sweepIdempotencyKeys } from "../../src/runs/idempotency.ts";
import { getRun, listRuns } from "../../src/runs/read.ts";
import { searchQuestions } from "../../src/runs/search-questions.ts";
import { type RunFilter, searchRuns } from "../../src/runs/search-runs.ts";
import { sweepEvents, timeOutRuns } from "../../src/runs/sweep.ts";
import { nextRuns, readProgress } from "../../src/runs/thread-runs.ts";
import { observeWorkers, renewWorker } from "../../src/runs/workers.ts";
import { findExpiredThreads, findSpentThreads, findUntrimmedThreads } from "../../src/threads/retention.ts";
import { countThreads, searchThreads, type ThreadFilter } from "../../src/threads/search.ts";
import { findThread, threadsOfAssistant } from "../../src/threads/threads.ts";
import { claimWebhooks, sweepWebhooks } from "../../src/webhooks/webhooks.ts";
import type { Work } from "./explain.ts";

const uuid = (n: number, first = "0") =>
  (first + n.toString(16).padStart(31, "0")).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
const [threadId, runId, assistantId, workerId] = [uuid(700), uuid(3_497, "1"), uuid(1), randomUUID()];
const page = { limit: 10, offset: 0 };
const search = (filter: ThreadFilter & { sort_by?: "updated_at" }) => (db: Db) => searchThreads(db, everything, { ...page, ...filter });
const runs =
  (filter: RunFilter, scope = everything) =>
  (db: Db) =>
    searchRuns(db, scope, { ...page, ...filter });
const place = { configurable: { thread_id: threadId, checkpoint_ns: "" } };

async function history(db: Db): Promise<void> {
  for await (const _ of new EnsembleSaver(db).list(place, { limit: 10 }));
}

/** Returns work that claims a run and then calls `work` with the claim. Only the statements of `work` are measured. */
const afterClaim =
  (work: (db: Db, claim: Claim) => Promise<unknown>): Work =>
  async (db, aside) => {
    await aside.query(sql`insert into workers (worker_id, lock_key, host, pid) values (${workerId}, 1, 'here', 1)`);
    const {
      claims: [claim],
    } = await claimRuns(aside, workerId, { graphs: ["g"], slots: 1, suspects: 1, maxCrashes: 3, isLimited: false });
    await work(db, claim as Claim);
  };

const end = { status: "success", output: null, error: null, thread: { status: "idle", values: "{}", interrupts: "{}" } } as const;
const checkpoint = { threadId, namespace: "", checkpointId: "ffffffff", parentId: undefined, checkpoint: "{}", metadata: "{}" };

/** The statements that run often or at intervals. The functions that production calls send them. */
export const statements: Record<string, Work> = {
  "claim runs": async (db, aside) => {
    await aside.query(sql`insert into workers (worker_id, lock_key, host, pid) values (${workerId}, 1, 'here', 1)`);
    await claimRuns(db, workerId, { graphs: ["g"], slots: 10, suspects: 1, maxCrashes: 3, isLimited: false });
  },
  "release a run": afterClaim(releaseRun),
  "end a run": afterClaim((db, claim) => endRuns(db, [{ ...claim, end }])),
  "find an assistant": (db) => findAssistantsToRun(db, [assistantId]),
  "read a thread": (db) => findThread(db, everything, threadId),
  "read a run": (db) => getRun(db, everything, threadId, runId),
  "runs of a thread": (db) => listRuns(db, everything, threadId, page),
  "runs: newest": runs({}),
  "runs: failed": runs({ status: ["error", "timeout"] }),
  "runs: by rare metadata": runs({ metadata: { n: 1_234 } }),
  "runs: of a user": runs({}, scopeOf({ n: 1_234 })),
  "open questions: newest": (db) => searchQuestions(db, everything, page),
  "store a checkpoint": (db) => storeRows(db, { ...noRows, checkpoints: [checkpoint] }),
  "newest checkpoint": (db) => new EnsembleSaver(db).getTuple(place),
  "history of a thread": (db) => history(db),
  "last checkpoint of a run": (db) => lastCheckpointOfRun(db, threadId, runId),
  "threads: newest": search({}),
  "threads: by last update": search({ sort_by: "updated_at" }),
  "threads: of an assistant": search({ metadata: { assistant_id: assistantId } }),
  "threads: by rare metadata": search({ metadata: { n: 1_234 } }),
  "threads: by rare values": search({ values: { topic: "topic 1234" } }),
  "threads: by common values": search({ values: { half: 1 } }),
  "threads: busy": search({ status: "busy" }),
  "threads: failed": search({ status: "error" }),
  "threads: idle": search({ status: "idle" }),
  "count of threads": (db) => countThreads(db, everything, {}),
  "count of busy threads": (db) => countThreads(db, everything, { status: "busy" }),
  "count of an assistant's": (db) => countThreads(db, everything, { metadata: { assistant_id: assistantId } }),
  "all threads of an assistant": (db) => threadsOfAssistant(db, everything, assistantId),
  "follow a thread": (db) => nextRuns(db, [{ threadId, from: 1_000_000_000 }]),
  "progress of a thread": (db) => readProgress(db, threadId),
  "claim webhooks": (db) => claimWebhooks(db, { new: 32, prompt: 32, slow: 32 }, [], undefined),
  "due crons": (db) => findDueCrons(db),
  "sign of life": (db) => renewWorker(db, workerId),
  "other workers": (db) => observeWorkers(db, workerId, 15),
  "sweep: temporary threads": (db) => findSpentThreads(db, { step: 2_000, last: undefined }, 200),
  "sweep: events": (db) => sweepEvents(db, 200),
  "sweep: overdue runs": (db) => timeOutRuns(db, 3_600),
  "sweep: absent graphs": (db) => noteAbsentGraphs(db),
  "sweep: webhooks": (db) => sweepWebhooks(db, 200),
  "sweep: idempotency keys": (db) => sweepIdempotencyKeys(db, 200),
  "sweep: expired threads": (db) => findExpiredThreads(db, { minutes: 52_560_000, strategy: "delete" }, 25),
  "sweep: untrimmed threads": (db) => findUntrimmedThreads(db, 25),
  "metrics: queue": (db) => readQueue(db, 15),
  "metrics: runs by status": (db) => readRunCounts(db),
};
