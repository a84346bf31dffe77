import { EventEmitter, on } from "node:events";
import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { projectFile } from "../../config.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../db/embedded.ts";
import type { Arguments } from "../arguments.ts";
import { adoptAddress } from "../start.ts";
import { clean } from "../terminal/clean.ts";
import { type Child, type Ending, startChild } from "./child.ts";
import { openInBrowser } from "./open-browser.ts";
import { type ProjectState, readState, watchedPaths } from "./project-state.ts";
import { startWatcher } from "./watch.ts";

/**
 * The seconds that the service gets to stop after WORKER_DRAIN_TIMEOUT has passed. A service that needs longer is killed. Its runs then
 * continue in the next service process.
 */
const stopSeconds = 15;
/** The default of WORKER_DRAIN_TIMEOUT. It is short, because a developer does not want to wait for running model calls at each restart. */
const drainSeconds = "1";

/** An event that the loop of `ensemble dev` handles. For changed files, `at` is the time of the last change. */
type Event =
  | { kind: "changed"; files: string[]; at: number }
  | { kind: "ended"; child: Child; ending: Ending }
  | { kind: "restart" }
  | { kind: "stop" };

/** The state of one `ensemble dev` process. */
interface Session {
  events: EventEmitter<{ event: [Event] }>;
  watcher: ReturnType<typeof startWatcher>;
  /** The absolute paths of further files and folders to watch, from the option `--watch`. */
  additional: string[];
  opens: boolean;
  /** The running service. Undefined while no service runs. */
  child: Child | undefined;
  /** The service that stops before a restart. Its end is expected, so it is not reported. */
  leaving: Child | undefined;
  startedAt: number;
  stopSeconds: number;
  /**
   * The embedded Postgres. This process starts the database instead of the service, so that the database stays up while the service
   * restarts.
   */
  database: EmbeddedPostgres | undefined;
  /** The URL of the service, or undefined until the first start. A restarted service gets the same port. */
  url: string | undefined;
  isStopping: boolean;
}

/**
 * Runs the service, and restarts the service whenever one of the files that it has imported changes. Threads stay in the database, and open
 * runs continue on the new code from their last checkpoint.
 */
export async function dev({ texts, flags }: Arguments): Promise<void> {
  adoptAddress(texts);
  if (!existsSync(projectFile())) await readState(); // throws the error that explains what a project is
  const session = openSession((texts.watch ?? "").split(",").filter(Boolean), flags.has("open"));
  const events = on(session.events, "event"); // created before the service starts, so that no event is lost
  listenToUser(session);
  try {
    await start(session);
    for await (const [event] of events) {
      if (session.isStopping) break;
      await handle(session, event as Event);
    }
  } finally {
    session.watcher.stop();
    await session.child?.stop(session.stopSeconds);
    await session.database?.stop();
  }
}

function openSession(additional: string[], opens: boolean): Session {
  const events: Session["events"] = new EventEmitter();
  const watcher = startWatcher(
    (files, at) => events.emit("event", { kind: "changed", files, at }),
    ({ message }) => console.error(`A folder cannot be watched, so changes in it do not restart the service: ${message}`),
  );
  return {
    events,
    watcher,
    additional: additional.map((path) => resolve(path)),
    opens,
    child: undefined,
    leaving: undefined,
    startedAt: 0,
    stopSeconds,
    database: undefined,
    url: undefined,
    isStopping: false,
  };
}

/** Lets the user control the service. Ctrl-C stops the service, and a second Ctrl-C stops it immediately. Enter restarts it. */
function listenToUser(session: Session): void {
  const stop = () => {
    if (session.isStopping) for (const child of [session.child, session.leaving]) child?.hurry();
    session.isStopping = true;
    session.events.emit("event", { kind: "stop" });
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  if (process.stdin.isTTY) process.stdin.on("data", () => session.events.emit("event", { kind: "restart" }));
}

async function handle(session: Session, event: Event): Promise<void> {
  switch (event.kind) {
    case "stop":
      return;
    case "ended":
      if (event.child === session.child) reportEnd(session, event.ending);
      return;
    case "changed":
      if (event.at < session.startedAt) return; // the running service has read the new content already
      console.log(`↻ ${event.files.map((file) => clean(relative("", file))).join(", ")} changed. Restarting.`);
      return restart(session);
    case "restart":
      console.log("↻ Restarting.");
      return restart(session);
  }
}

function reportEnd(session: Session, { code, signal }: Ending): void {
  session.child = undefined;
  session.watcher.watchNeighbours(true);
  console.log(`✗ The service has ended (${signal ?? `exit code ${code}`}). It starts again when you change a file${hint()}.`);
}

const hint = () => (process.stdin.isTTY ? " or press Enter" : "");

async function restart(session: Session): Promise<void> {
  session.leaving = session.child;
  session.child = undefined;
  await session.leaving?.stop(session.stopSeconds);
  session.leaving = undefined;
  if (!session.isStopping) await start(session);
}

/** Starts the service. If the project cannot be read, prints the error. The next change of a watched file then starts the service. */
async function start(session: Session): Promise<void> {
  session.startedAt = performance.now();
  const state = await readState().catch((error: Error) => {
    console.error(`✗ ${clean(error.message)}`);
    return undefined;
  });
  const { files, paths } = await watchedPaths(state);
  session.watcher.addFiles(files);
  for (const path of [...paths, ...session.additional]) session.watcher.add(path);
  session.watcher.watchNeighbours(state === undefined);
  if (state) await startService(session, state);
}

async function startService(session: Session, state: ProjectState): Promise<void> {
  const isFirst = session.url === undefined;
  if (needsDatabase(state)) session.database ??= await openDatabase(state);
  if (session.isStopping) return; // the user has stopped the command while Postgres started
  const env = environmentOf(session, state);
  session.stopSeconds = Number(env.WORKER_DRAIN_TIMEOUT || 30) + stopSeconds;
  const child = startChild(env, isFirst, {
    onImported: (files) => session.watcher.addFiles(files),
    onStarted: (url) => reportStart(session, url),
  });
  session.child = child;
  child.ended.then((ending) => session.events.emit("event", { kind: "ended", child, ending }));
}

const needsDatabase = ({ config }: ProjectState) => config.databaseUrl === undefined && config.role === "all";

async function openDatabase({ config }: ProjectState): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres(config.dataDir);
  console.log(`Database: an embedded Postgres in ${relative("", resolve(config.dataDir))}. It stays up while the service restarts.`);
  return database;
}

/** Returns the environment of the service. The process's own variables take precedence over the project's, as in `ensemble start`. */
function environmentOf({ database, url }: Session, state: ProjectState): NodeJS.ProcessEnv {
  return {
    WORKER_DRAIN_TIMEOUT: state.project.env.WORKER_DRAIN_TIMEOUT ?? drainSeconds,
    ...process.env,
    ...(database && needsDatabase(state) && { DATABASE_URL: database.url }),
    ...(url && { PORT: new URL(url).port }),
  };
}

function reportStart(session: Session, url: string | undefined): void {
  if (session.url === undefined) {
    console.log(`Watching the files that your graphs import. Ctrl-C stops the service${process.stdin.isTTY ? ", Enter restarts it" : ""}.`);
    if (session.opens && url) void openInBrowser(`${url}/console/`);
  } else console.log(`✓ Ready again after ${((performance.now() - session.startedAt) / 1000).toFixed(1)} s.`);
  session.url = url ?? "";
}
