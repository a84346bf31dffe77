import { setImmediate as nextTurn } from "node:timers/promises";
import { concernsAllStatements } from "./failure.ts";
import { sealingUser } from "./sealable.ts";

export interface BatchedOptions<Request> {
  /**
   * Returns the key of a request, such as the id of the row that it changes. Two requests with the same key are never in the same batch.
   * Without `keyOf`, a batch can hold any requests.
   */
  keyOf?: (request: Request) => unknown;
}

interface QueuedRequest<Request, Result> {
  request: Request;
  done: PromiseWithResolvers<Result>;
  /**
   * The user whose encryption key protects the values of the request. All requests of a batch have the same user, because a statement can
   * encrypt only for one.
   */
  user: object | null | undefined;
}

/**
 * The size in bytes above which a document gets its own statement. A shared statement would send it inside an array, where Postgres
 * needs every quote escaped.
 */
export const largeDocument = 16_384;

/** The number of batches that may run at the same time. With two, a new batch need not wait until the previous one has finished. */
const mostConcurrent = 2;
const mostInBatch = 50;

/**
 * Returns a function that combines its calls into shared statements. A batch holds the calls of one turn of the event loop, and the calls
 * that arrived while earlier statements ran. A call never joins a statement that has already started, so the result of a call is never
 * older than the call.
 *
 * The caller passes `runBatch`, which runs one statement and returns one result for each request, in the order of the requests.
 */
export function batched<Request, Result>(
  runBatch: (requests: Request[]) => Promise<Result[]>,
  { keyOf }: BatchedOptions<Request> = {},
): (request: Request) => Promise<Result> {
  let queue: QueuedRequest<Request, Result>[] = [];
  let running = 0;

  async function runNext(): Promise<void> {
    running += 1;
    await nextTurn();
    const batch = takeOneOfEach();
    const results = batch.length > 0 ? await runTogether(batch).catch((error: Error) => error) : [];
    running -= 1;
    if (queue.length > 0) void runNext();
    if (!(results instanceof Error)) for (const [index, { done }] of batch.entries()) done.resolve(results[index] as Result);
    else if (batch.length === 1 || concernsAllStatements(results)) for (const { done } of batch) done.reject(results);
    else for (const queued of batch) await runAlone(queued); // each request gets its own statement, so that only the refused request fails
  }

  const runTogether = (batch: QueuedRequest<Request, Result>[]) =>
    sealingUser.run(batch[0]?.user, () => runBatch(batch.map(({ request }) => request)));

  function takeOneOfEach(): QueuedRequest<Request, Result>[] {
    const taken = new Map<unknown, QueuedRequest<Request, Result>>();
    const left: QueuedRequest<Request, Result>[] = [];
    for (const queued of queue) {
      const key = keyOf ? keyOf(queued.request) : queued;
      if (taken.size < mostInBatch && !taken.has(key) && queued.user === queue[0]?.user) taken.set(key, queued);
      else left.push(queued);
    }
    queue = left;
    return [...taken.values()];
  }

  async function runAlone(queued: QueuedRequest<Request, Result>): Promise<void> {
    await runTogether([queued]).then(([result]) => queued.done.resolve(result as Result), queued.done.reject);
  }

  return (request) => {
    const done = Promise.withResolvers<Result>();
    queue.push({ request, done, user: sealingUser.getStore() });
    if (running < mostConcurrent) void runNext();
    return done.promise;
  };
}
