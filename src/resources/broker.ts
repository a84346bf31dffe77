import { AsyncLocalStorage } from "node:async_hooks";
import { untilDatabaseAnswers } from "../db/failure.ts";
import type { Fence } from "../db/fence.ts";
import { newId } from "../db/ids.ts";
import type { Wakeups } from "../db/listen.ts";
import type { Db } from "../db/sql.ts";
import { startWatcher, type Watcher } from "../db/watcher.ts";
import { DeadlockError, ResourceTimeoutError } from "./errors.ts";
import { leaveResources, type ResourceRequest, readShortages, readWaiting, takeResources, type WaitingNews } from "./grants.ts";
import { explainImpossible } from "./impossible.ts";
import type { ValidRequest } from "./request.ts";
import type { RunResources, ServedRequest } from "./with-resources.ts";

/** The topic of notifications that a waiting request for resources may have been served, or that a limit has changed. */
export const servedTopic = "resources";

const defaultWaitSeconds = 60;
const defaultPriority = 3;

/** Acquires shared resources for the runs of this process. */
export interface ResourceBroker {
  /** Returns the object through which the nodes of one attempt use resources. */
  forRun(run: RunAttempt): RunResources;
  stop(): Promise<void>;
}

/** An attempt of a run whose nodes use resources. */
export interface RunAttempt {
  fence: Fence;
  /** The priority of requests whose node gives none, from 1 to 5. Undefined means 3. */
  priority?: number | undefined;
  /** Returns the error for an attempt that has lost the right to write. */
  lostRight(): Error;
  /**
   * Stops the attempt with this error. If the error were only thrown in the node, the run would end with it, although the node is not at
   * fault.
   */
  refused(error: Error): void;
}

export interface BrokerOptions {
  db: Db;
  wakeups: Wakeups;
  /** Called for each resource of a served request, with the number of seconds that the request waited. */
  onServed(resource: string, seconds: number): void;
  onError(error: Error): void;
}

interface Broker extends BrokerOptions {
  watcher: Watcher<string, WaitingNews>;
}

/**
 * Records the resource request whose `work` is running now. `holders` contains the id of this request. Before it, `holders` lists the
 * requests inside whose `work` it was made, the outermost first.
 */
const enclosing = new AsyncLocalStorage<Fence & { holders: string[] }>();

/**
 * Starts the broker of this process. One statement checks all requests that wait in this process. It runs at least every second, and
 * whenever some process has served requests.
 */
export function startBroker(options: BrokerOptions): ResourceBroker {
  const { db, wakeups, onError } = options;
  const watcher = startWatcher({ wakeups, look: (holders: string[]) => readWaiting(db, holders), onError });
  const broker: Broker = { ...options, watcher };
  return {
    forRun: (run) => ({ use: (request, work, signal) => useResources({ broker, run, signal }, request, work) }),
    stop: watcher.stop,
  };
}

/** A request that a node of an attempt makes for resources. If `signal` aborts, the request stops waiting. */
interface Use {
  broker: Broker;
  run: RunAttempt;
  signal: AbortSignal | undefined;
}

async function useResources<Result>(
  use: Use,
  valid: ValidRequest,
  work: (got: ServedRequest) => Result | Promise<Result>,
): Promise<Result | undefined> {
  const { broker, run, signal } = use;
  signal?.throwIfAborted();
  const request = requestOf(run, valid);
  const began = performance.now();
  const taken = await takeResources(broker.db, request).catch(refuse(run));
  if (taken === "lost") return refuse(run)(run.lostRight());
  if (taken === "impossible") throw await explainImpossible(broker.db, request.needs).catch(refuse(run));
  if (taken === "busy" && valid.skip) return undefined;
  if (taken === "busy") throw timeoutOf(request, names(request));
  try {
    if (taken === "waiting") await untilServed(use, request);
    signal?.throwIfAborted();
    const elapsedMs = performance.now() - began;
    for (const name of names(request)) broker.onServed(name, elapsedMs / 1000);
    const got = { waitedMs: taken === "waiting" ? Math.max(1, Math.round(elapsedMs)) : 0 };
    return await enclosing.run({ ...run.fence, holders: [...request.inside, request.holder] }, () => work(got));
  } finally {
    // If the request cannot be ended now, its resources become free when the run ends.
    await leave(broker, request, false).catch(broker.onError);
  }
}

/** Returns a function that stops the attempt because of an error, and throws the error. */
const refuse =
  (run: RunAttempt) =>
  (error: Error): never => {
    run.refused(error);
    throw error;
  };

function requestOf({ fence, priority = defaultPriority }: RunAttempt, valid: ValidRequest): ResourceRequest {
  const outer = enclosing.getStore();
  const isOfThisRun = outer?.runId === fence.runId && outer.attempt === fence.attempt;
  return {
    runId: fence.runId,
    attempt: fence.attempt,
    holder: newId(),
    needs: valid.needs,
    priority: valid.priority ?? priority,
    waitSeconds: valid.skip ? 0 : (valid.waitSeconds ?? defaultWaitSeconds),
    inside: isOfThisRun ? outer.holders : [],
  };
}

const names = ({ needs }: ResourceRequest) => needs.map(([name]) => name);

/** Waits until a request is served. Throws if the request's time is over, the run has stopped, or the request can never be served. */
async function untilServed({ broker, run, signal }: Use, request: ResourceRequest): Promise<void> {
  const { db, watcher } = broker;
  const deadline = AbortSignal.timeout(Math.ceil(request.waitSeconds * 1000));
  const news = await watcher.wait(request.holder, servedTopic, signal ? AbortSignal.any([signal, deadline]) : deadline);
  signal?.throwIfAborted();
  if (news === "held") return;
  if (news === "deadlocked") throw deadlockOf(request);
  if (news === "impossible") throw await explainImpossible(db, request.needs).catch(refuse(run));
  const short = await readShortages(db, request.holder).catch(refuse(run));
  if (news === "gone" || (await leave(broker, request, true))) throw timeoutOf(request, short.length > 0 ? short : names(request));
}

/** Ends a request. With `onlyWaiting`, a request that is already served is kept, and the result is false. */
async function leave({ db, wakeups }: Broker, { holder }: ResourceRequest, onlyWaiting: boolean): Promise<boolean> {
  const { ended, served } = await untilDatabaseAnswers(() => leaveResources(db, holder, onlyWaiting));
  if (served > 0) wakeups.notify(servedTopic);
  return ended;
}

const listed = (resources: string[]) => resources.map((name) => `"${name}"`).join(" and ");
const asked = ({ needs }: ResourceRequest) => needs.map(([name, amount]) => `${amount} of "${name}"`).join(" and ");

function timeoutOf(request: ResourceRequest, short: string[]): ResourceTimeoutError {
  const waited = request.waitSeconds === 0 ? "at once" : `within ${request.waitSeconds} s`;
  return new ResourceTimeoutError(`The run could not get ${asked(request)} ${waited}. Too little was free of ${listed(short)}.`, short);
}

function deadlockOf(request: ResourceRequest): DeadlockError {
  const sentence = `The run waited for ${asked(request)} in a circle with requests that wait for what it holds. It was chosen to give way.`;
  return new DeadlockError(sentence, names(request));
}
