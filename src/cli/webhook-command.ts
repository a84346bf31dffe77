import { isId } from "../db/ids.ts";
import { everything } from "../db/scope.ts";
import { listDeadWebhooks, redriveWebhooks } from "../webhooks/dead-webhooks.ts";
import { clean } from "./terminal/clean.ts";
import { withDatabase } from "./with-database.ts";

const mostListed = 100;

/**
 * Lists the webhook deliveries that have failed for good, or sends failed deliveries again: all of them, or only those of the given runs.
 */
export async function webhooks([action, ...runIds]: string[]): Promise<void> {
  if (action === undefined) return list();
  if (action !== "redrive")
    throw new Error(`"webhooks" lists dead webhooks, and "webhooks redrive" sends them again. It does not take "${action}".`);
  return redrive(runIds);
}

async function list(): Promise<void> {
  const { rows, total } = await withDatabase((pool) => listDeadWebhooks(pool, everything, { limit: mostListed, offset: 0 }));
  if (total === 0) console.log("No dead webhooks.");
  for (const { run_id, died_at, attempts, url, error } of rows) {
    console.log(clean(`${run_id}  ${died_at.toISOString()}  ${attempts} attempts  ${url}  ${error}`));
  }
  if (total > rows.length) console.log(`… and ${total - rows.length} more`);
}

async function redrive(runIds: string[]): Promise<void> {
  const malformed = runIds.find((runId) => !isId(runId));
  if (malformed !== undefined) throw new Error(`"${malformed}" is not the id of a run.`);
  const redriven = await withDatabase((pool) => redriveWebhooks(pool, everything, { runIds: runIds.length > 0 ? runIds : undefined }));
  console.log(redriven.length === 1 ? "1 webhook is sent again." : `${redriven.length} webhooks are sent again.`);
  const alive = runIds.filter((runId) => !redriven.includes(runId.toLowerCase()));
  if (alive.length > 0) throw new Error(`No dead webhook belongs to ${alive.join(", ")}.`);
}
