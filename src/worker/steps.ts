import { type CheckpointRows, isAlike, storingRows } from "../checkpoints/rows.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import { type Fence, fencedAll } from "../db/fence.ts";
import { type Db, prepared, sql } from "../db/sql.ts";
import { appendingEvents, milliseconds, type RunEvent } from "../events/log.ts";

/** What a step of a graph leaves: its events, its writes and its checkpoint. */
export interface Step {
  fence: Fence;
  events: RunEvent[];
  rows: CheckpointRows;
}

/** When a step was stored, in milliseconds of the database's clock; undefined when the right to write is lost, and nothing of it is stored. */
export type StoreStep = (step: Step) => Promise<number | undefined>;

interface Waiting {
  step: Step;
  done: PromiseWithResolvers<number | undefined>;
}

/** Statements under way at once: enough to keep the server busy while the next ones gather. */
const lines = 2;
const mostSteps = 50;

/** Stores the steps of all runs of this process: those that come while others are being stored share a statement. */
export function stepWriter(db: Db): StoreStep {
  let waiting: Waiting[] = [];
  let underWay = 0;

  async function storeNext(): Promise<void> {
    underWay += 1;
    const together = takeOneEach();
    const stored = await storeSteps(
      db,
      together.map(({ step }) => step),
    ).catch((error: Error) => error);
    underWay -= 1;
    if (waiting.length > 0) void storeNext();
    if (!(stored instanceof Error)) for (const { step, done } of together) done.resolve(stored.get(step.fence.runId));
    else if (together.length === 1 || isDatabaseTrouble(stored)) for (const { done } of together) done.reject(stored);
    else for (const one of together) await storeAlone(one); // what the database does not take spoils only itself
  }

  /** Of each run one: two attempts of it must not be taken for each other. */
  function takeOneEach(): Waiting[] {
    const taken = new Map<string, Waiting>();
    for (const one of waiting) if (taken.size < mostSteps && !taken.has(one.step.fence.runId)) taken.set(one.step.fence.runId, one);
    const together = [...taken.values()];
    waiting = waiting.filter((one) => taken.get(one.step.fence.runId) !== one);
    return together;
  }

  async function storeAlone({ step, done }: Waiting): Promise<void> {
    await storeSteps(db, [step]).then((stored) => done.resolve(stored.get(step.fence.runId)), done.reject);
  }

  return async (step) => {
    if (!isAlike(step.rows)) return (await storeSteps(db, [step])).get(step.fence.runId);
    const done = Promise.withResolvers<number | undefined>();
    waiting.push({ step, done });
    if (underWay < lines) void storeNext();
    return done.promise;
  };
}

/** Stores steps of different runs in one statement. Answers when, for those whose right is held. */
async function storeSteps(db: Db, steps: Step[]): Promise<Map<string, number>> {
  const events = steps.flatMap(({ fence: { runId }, events }) => events.map((event) => ({ ...event, runId })));
  const rows = steps.map(({ fence: { runId }, rows }) => ({ runId, rows }));
  const statement = sql`
    with ${fencedAll(steps.map(({ fence }) => fence))}, ${appendingEvents(events)}, ${storingRows(rows)}
    select run_id as "runId", ${milliseconds(sql`now()`)} as at from fence`;
  const areAlike = steps.every((step) => isAlike(step.rows));
  const stored = await db.query<{ runId: string; at: number }>(areAlike ? prepared("store steps", statement) : statement);
  return new Map(stored.rows.map(({ runId, at }) => [runId, at]));
}
