import { deleteRunCheckpoints } from "../checkpoints/lifecycle.ts";
import { untilDatabaseAnswers } from "../db/failure.ts";
import { everything } from "../db/scope.ts";
import { transaction } from "../db/sql.ts";
import { type Claim, releaseRun } from "../runs/claim.ts";
import { deleteRunRow, type RunEnd } from "../runs/end.ts";
import { timersAfter } from "../runs/timers.ts";
import { refreshThread } from "../state/state.ts";
import { lockThread } from "../threads/threads.ts";
import type { Outcome } from "./outcome.ts";
import type { AttemptDeps, WorkerDeps } from "./worker-deps.ts";

/** Makes the outcome a fact. What it returns is what became of the run in truth. */
export async function settle(deps: AttemptDeps, claim: Claim, outcome: Outcome): Promise<Outcome> {
  switch (outcome.kind) {
    case "lost":
      return outcome;
    case "released": {
      const released = await untilDatabaseAnswers(() => releaseRun(deps.pool, claim));
      return released ? outcome : { kind: "lost" };
    }
    case "rolled back": {
      const gone = await untilDatabaseAnswers(() => rollBack(deps, claim));
      return gone ? outcome : { kind: "lost" };
    }
    case "ended": {
      const ended = await untilDatabaseAnswers(() => deps.endRun({ ...claim, end: withConsequences(claim, outcome.end) }));
      // Not ended: either the right is lost, or a rollback was accepted at the last moment and is carried out now.
      return ended ? outcome : settle(deps, claim, { kind: "rolled back" });
    }
  }
}

/** What else the end begins: the timers of the questions that the run asked, and the telling of whoever wants to know. */
function withConsequences({ kwargs }: Claim, end: RunEnd): RunEnd {
  const { interrupts } = end.thread ?? {};
  const timers = interrupts === undefined ? undefined : timersAfter(kwargs, end.status === "success", interrupts);
  return { ...end, timers, webhook: Boolean(kwargs.webhook) };
}

/** Takes the run back, in one transaction: its row and events, its checkpoints, and what its thread shows. */
async function rollBack({ pool, registry }: WorkerDeps, { runId, threadId, attempt }: Claim): Promise<boolean> {
  return transaction(pool, async (tx) => {
    await lockThread(tx, everything, threadId);
    if (!(await deleteRunRow(tx, threadId, runId, attempt))) return false;
    await deleteRunCheckpoints(tx, threadId, runId, false);
    await refreshThread(tx, registry, threadId);
    return true;
  });
}
