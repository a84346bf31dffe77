import { countExpiredEntries } from "../cache/entries.ts";
import { countPrunable, type Kept } from "../checkpoints/prune.ts";
import type { Db } from "../db/sql.ts";
import { countOutdatedFeedback } from "../feedback/feedback.ts";
import { countOutdatedLetters } from "../letters/change-letters.ts";
import { countOutdatedPlans } from "../plans/plans.ts";
import { countOutdatedKeys } from "../runs/idempotency.ts";
import { countSpentEvents } from "../runs/sweep.ts";
import { countOldStatistics } from "../stats/sweep-statistics.ts";
import { countExpiredItems } from "../store/items.ts";
import { countExpiredThreads, countSpentThreads, listThreadsToReduce } from "../threads/retention.ts";
import { countOutdatedUsage } from "../usage/usage.ts";
import { countOutdatedWebhooks } from "../webhooks/webhooks.ts";
import type { RetentionRules } from "./retention-rules.ts";
import type { Removal } from "./sweep.ts";

const page = 200;

/** Returns the numbers of rows that a sweep would delete now, without deleting them. */
export async function surveyRemoval(db: Db, rules: RetentionRules): Promise<Removal> {
  const { threadTtl, keepCheckpoints, deadLetterDays, planDays, feedbackDays, usageDays } = rules;
  const expired = await countExpiredThreads(db, threadTtl);
  const reduced = await countOf(db, "keep_latest", rules, "latest");
  const trimmed = keepCheckpoints === undefined ? 0 : await countOf(db, "trim", rules, { newest: keepCheckpoints });
  return {
    eventLogs: await countSpentEvents(db),
    temporaryThreads: await countSpentThreads(db),
    idempotencyKeys: await countOutdatedKeys(db),
    cacheEntries: await countExpiredEntries(db),
    storeItems: await countExpiredItems(db),
    webhooks: await countOutdatedWebhooks(db),
    deadLetters: deadLetterDays === undefined ? 0 : await countOutdatedLetters(db, deadLetterDays),
    statistics: await countOldStatistics(db),
    plans: planDays === undefined ? 0 : await countOutdatedPlans(db, planDays),
    feedback: feedbackDays === undefined ? 0 : await countOutdatedFeedback(db, feedbackDays),
    usages: usageDays === undefined ? 0 : await countOutdatedUsage(db, usageDays),
    deletedThreads: expired.delete,
    reducedThreads: expired.keep_latest,
    checkpoints: reduced + trimmed,
  };
}

/**
 * Counts the checkpoints that a rule would delete. "keep_latest" applies to expired threads. "trim" applies to other threads that were used
 * since their old checkpoints were last deleted.
 */
async function countOf(db: Db, rule: "keep_latest" | "trim", { threadTtl }: RetentionRules, kept: Kept): Promise<number> {
  let count = 0;
  let after = "00000000-0000-0000-0000-000000000000";
  for (;;) {
    const threadIds = await listThreadsToReduce(db, rule, threadTtl, { after, limit: page });
    if (threadIds.length > 0) count += await countPrunable(db, threadIds, kept);
    if (threadIds.length < page) return count;
    after = threadIds.at(-1) ?? after;
  }
}
