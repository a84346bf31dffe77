import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { projectFile } from "../config.ts";
import { readProject } from "../registry/project.ts";
import { type RetentionRules, retentionRules } from "../retention/retention-rules.ts";
import { surveyRemoval } from "../retention/survey.ts";
import { addUp, nothingRemoved, type Removal, sweepOnce } from "../retention/sweep.ts";
import { readEnvironment } from "../startup/environment.ts";
import { withDatabase } from "./with-database.ts";

const timeoutMs = 60_000;

/**
 * Deletes all data that the retention rules no longer keep. The service's sweeper would delete the same data in many small steps. With
 * `dryRun`, deletes nothing and reports how much would be deleted.
 */
export async function prune({ dryRun }: { dryRun: boolean }): Promise<void> {
  const config = await readEnvironment();
  const file = projectFile();
  const rules = retentionRules(config, existsSync(file) ? await readProject(file) : {});
  const removal = await withDatabase((pool) => (dryRun ? surveyRemoval(pool, rules) : sweepAll(pool, rules)));
  console.log(report(removal, dryRun));
}

/** Sweeps until nothing is left to delete. If a running service sweeps at the same time, the two take turns. */
async function sweepAll(pool: Pool, rules: RetentionRules): Promise<Removal> {
  let removal = nothingRemoved;
  for (let giveUpAt = performance.now() + timeoutMs; performance.now() < giveUpAt; ) {
    const swept = await sweepOnce(pool, rules);
    if (swept) {
      removal = addUp(removal, swept);
      if (!swept.more) return removal;
      giveUpAt = performance.now() + timeoutMs;
    } else await sleep(100);
  }
  throw new Error("Another process has been sweeping for 60 s. Try again later.");
}

function report(removal: Removal, dryRun: boolean): string {
  const { deletedThreads, reducedThreads, checkpoints, eventLogs, temporaryThreads } = removal;
  const { idempotencyKeys, cacheEntries, storeItems, webhooks, deadLetters, plans, feedback, usages, statistics } = removal;
  return [
    dryRun ? "Would be removed now:" : "Removed:",
    `  ${deletedThreads} threads whose time to live is over`,
    `  ${checkpoints} checkpoints (${reducedThreads} threads keep only their latest)`,
    `  the events of ${eventLogs} runs`,
    `  ${temporaryThreads} temporary threads of stateless runs`,
    `  ${idempotencyKeys} idempotency keys`,
    `  ${cacheEntries} cached results`,
    `  ${storeItems} items of the store whose time to live is over`,
    `  ${webhooks} webhooks that were delivered or given up`,
    `  ${deadLetters} dead letters`,
    `  ${plans} plans`,
    `  feedback about stateless runs: ${feedback} rows`,
    `  ${usages} rows of daily usage`,
    `  ${statistics} rows of statistics`,
  ].join("\n");
}
