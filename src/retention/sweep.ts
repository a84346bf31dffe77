import type { Pool } from "pg";
import { sweepEntries } from "../cache/entries.ts";
import { pruneCheckpoints } from "../checkpoints/prune.ts";
import { reclaimRoom } from "../checkpoints/reclaim.ts";
import { type Db, sql, transaction } from "../db/sql.ts";
import { sweepFeedback } from "../feedback/feedback.ts";
import { sweepLetters } from "../letters/change-letters.ts";
import { sweepPlans } from "../plans/plans.ts";
import { sweepIdempotencyKeys } from "../runs/idempotency.ts";
import { sweepEvents } from "../runs/sweep.ts";
import { sweepStatistics } from "../stats/sweep-statistics.ts";
import { sweepItems } from "../store/items.ts";
import {
  findExpiredThreads,
  findSpentThreads,
  findUntrimmedThreads,
  noteKeptLatest,
  noteTrimmed,
  type Walk,
  withoutOpenRuns,
} from "../threads/retention.ts";
import { sweepUsage } from "../usage/usage.ts";
import { sweepWebhooks } from "../webhooks/webhooks.ts";
import { deleteThread } from "./prune-thread.ts";
import type { RetentionRules } from "./retention-rules.ts";

/** The numbers of rows that a sweep has deleted, or would delete. */
export interface Removal {
  /** The number of runs whose events were deleted. */
  eventLogs: number;
  temporaryThreads: number;
  /** The number of deleted Idempotency-Keys. A later request with such a key counts as a new request. */
  idempotencyKeys: number;
  /** The number of expired cache entries that were deleted. */
  cacheEntries: number;
  /** The number of expired store items that were deleted. */
  storeItems: number;
  /** The number of old webhook deliveries that were deleted. Each of them had succeeded or had failed for good. */
  webhooks: number;
  /** The number of deleted dead letters. */
  deadLetters: number;
  /** The number of deleted plans. */
  plans: number;
  /** The number of deleted rows of feedback about stateless runs. */
  feedback: number;
  /** The number of old rows of daily model usage that were deleted. */
  usages: number;
  /** The number of old rows of statistics that were deleted. A row holds one hour of one graph or agent. */
  statistics: number;
  deletedThreads: number;
  /** The number of expired threads that were reduced to their latest checkpoint. */
  reducedThreads: number;
  /** The number of deleted checkpoints of threads that still exist. */
  checkpoints: number;
}

export type Swept = Removal & { /** Whether a batch was full, so that more may follow. */ more: boolean };

type Batch = Partial<Removal> & { full: boolean };

/** The key of the advisory lock that a sweep holds. The number is arbitrary, but no other lock may use it. */
export const sweepLock = 7_201_915;
const manyRows = 200;
/**
 * The number of threads in one batch of checkpoint deletions. It is small, because these threads stay locked until the batch ends, and new
 * runs on them must wait for the locks.
 */
const fewThreads = 25;

export const nothingRemoved: Removal = {
  eventLogs: 0,
  temporaryThreads: 0,
  idempotencyKeys: 0,
  cacheEntries: 0,
  storeItems: 0,
  webhooks: 0,
  deadLetters: 0,
  plans: 0,
  feedback: 0,
  usages: 0,
  statistics: 0,
  deletedThreads: 0,
  reducedThreads: 0,
  checkpoints: 0,
};

/**
 * Deletes one batch of each kind of old data. Each batch has its own transaction. Returns undefined if another process is sweeping, because
 * only one process may sweep at a time.
 */
export async function sweepOnce(
  pool: Pool,
  rules: RetentionRules = {},
  which = { expired: true, storeItems: true },
  walk: Walk = { step: undefined, last: undefined },
): Promise<Swept | undefined> {
  const { keepCheckpoints, deadLetterDays, planDays, feedbackDays, usageDays } = rules;
  const kinds: ((tx: Db) => Promise<Batch>)[] = [
    sweepEventLogs,
    (tx) => sweepTemporaryThreads(tx, walk),
    sweepKeys,
    sweepCache,
    sweepDeliveries,
    sweepOldStatistics,
    ...(deadLetterDays === undefined ? [] : [(tx: Db) => sweepDead(tx, deadLetterDays)]),
    ...(planDays === undefined ? [] : [(tx: Db) => sweepOldPlans(tx, planDays)]),
    ...(feedbackDays === undefined ? [] : [(tx: Db) => sweepOldFeedback(tx, feedbackDays)]),
    ...(usageDays === undefined ? [] : [(tx: Db) => sweepOldUsage(tx, usageDays)]),
    ...(which.storeItems ? [sweepStore] : []),
    ...(which.expired ? [(tx: Db) => sweepExpiredThreads(tx, rules)] : []),
    ...(keepCheckpoints === undefined ? [] : [(tx: Db) => trimThreads(tx, keepCheckpoints)]),
  ];
  const swept: Swept = { ...nothingRemoved, more: false };
  for (const sweep of kinds) {
    const batch = await transaction(pool, async (tx) => ((await takeTurn(tx)) ? sweep(tx) : undefined));
    if (!batch) return undefined;
    Object.assign(swept, addUp(swept, batch), { more: swept.more || batch.full });
  }
  if (swept.checkpoints + swept.deletedThreads + swept.temporaryThreads > 0) await reclaimRoom(pool);
  return swept;
}

/**
 * Deletes only old checkpoints, and reclaims their disk space. Call this repeatedly between two sweeps, because threads in use keep adding
 * checkpoints. Returns the number of deleted checkpoints, or undefined if another process is sweeping.
 */
export async function trimOnce(pool: Pool, keepCheckpoints: number): Promise<number | undefined> {
  const batch = await transaction(pool, async (tx) => ((await takeTurn(tx)) ? trimThreads(tx, keepCheckpoints) : undefined));
  if (batch?.checkpoints) await reclaimRoom(pool);
  return batch?.checkpoints;
}

export function addUp(one: Removal, other: Partial<Removal>): Removal {
  const kinds = Object.keys(nothingRemoved) as (keyof Removal)[];
  return Object.fromEntries(kinds.map((kind) => [kind, one[kind] + (other[kind] ?? 0)])) as unknown as Removal;
}

async function takeTurn(tx: Db): Promise<boolean> {
  const { rows } = await tx.query<{ taken: boolean }>(sql`select pg_try_advisory_xact_lock(${sweepLock}) as taken`);
  return rows[0]?.taken ?? false;
}

async function sweepEventLogs(tx: Db): Promise<Batch> {
  const eventLogs = await sweepEvents(tx, manyRows);
  return { eventLogs, full: eventLogs === manyRows };
}

async function sweepTemporaryThreads(tx: Db, walk: Walk): Promise<Batch> {
  const spent = await findSpentThreads(tx, walk, manyRows);
  for (const threadId of spent) await deleteThread(tx, threadId);
  return { temporaryThreads: spent.length, full: spent.length === manyRows };
}

async function sweepKeys(tx: Db): Promise<Batch> {
  const idempotencyKeys = await sweepIdempotencyKeys(tx, manyRows);
  return { idempotencyKeys, full: idempotencyKeys === manyRows };
}

async function sweepCache(tx: Db): Promise<Batch> {
  const cacheEntries = await sweepEntries(tx, manyRows);
  return { cacheEntries, full: cacheEntries === manyRows };
}

async function sweepStore(tx: Db): Promise<Batch> {
  const storeItems = await sweepItems(tx, manyRows);
  return { storeItems, full: storeItems === manyRows };
}

async function sweepDeliveries(tx: Db): Promise<Batch> {
  const webhooks = await sweepWebhooks(tx, manyRows);
  return { webhooks, full: webhooks === manyRows };
}

async function sweepOldStatistics(tx: Db): Promise<Batch> {
  const statistics = await sweepStatistics(tx, manyRows);
  return { statistics, full: statistics >= manyRows };
}

async function sweepDead(tx: Db, days: number): Promise<Batch> {
  const deadLetters = await sweepLetters(tx, days, manyRows);
  return { deadLetters, full: deadLetters === manyRows };
}

async function sweepOldPlans(tx: Db, days: number): Promise<Batch> {
  const plans = await sweepPlans(tx, days, manyRows);
  return { plans, full: plans === manyRows };
}

async function sweepOldFeedback(tx: Db, days: number): Promise<Batch> {
  const feedback = await sweepFeedback(tx, days, manyRows);
  return { feedback, full: feedback === manyRows };
}

async function sweepOldUsage(tx: Db, days: number): Promise<Batch> {
  const usages = await sweepUsage(tx, days, manyRows);
  return { usages, full: usages === manyRows };
}

async function sweepExpiredThreads(tx: Db, { threadTtl }: RetentionRules): Promise<Batch> {
  const found = await findExpiredThreads(tx, threadTtl, fewThreads);
  const idle = new Set(await withoutOpenRuns(tx, idsOf(found)));
  const { delete: deleted = [], keep_latest: reduced = [] } = Object.groupBy(
    found.filter(({ threadId }) => idle.has(threadId)),
    ({ strategy }) => strategy,
  );
  for (const { threadId } of deleted) await deleteThread(tx, threadId);
  const checkpoints = await pruneCheckpoints(tx, idsOf(reduced), "latest");
  await noteKeptLatest(tx, idsOf(reduced));
  return { deletedThreads: deleted.length, reducedThreads: reduced.length, checkpoints, full: found.length >= fewThreads };
}

async function trimThreads(tx: Db, keepCheckpoints: number): Promise<Batch> {
  const found = await findUntrimmedThreads(tx, fewThreads);
  const idle = await withoutOpenRuns(tx, found);
  const checkpoints = await pruneCheckpoints(tx, idle, { newest: keepCheckpoints });
  await noteTrimmed(tx, idle);
  return { checkpoints, full: found.length === fewThreads };
}

const idsOf = (threads: { threadId: string }[]) => threads.map(({ threadId }) => threadId);
