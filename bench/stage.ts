import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { chmod, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../src/db/embedded.ts";
import { isAlive } from "../src/db/process-identity.ts";
import { type Child, startChild } from "./child.ts";
import { connectTo } from "./client.ts";

const goneTimeoutMs = 5_000;

/** The resources that all parts share: one Postgres server, one load driver, and a folder for files. */
export interface Stage {
  home: string;
  /** The processes of the Postgres server. Empty if the server was not started here. */
  databasePids: number[];
  driver: Child;
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** Uses the given server, or starts an embedded one. Adds to `killers` the functions to call if the process must exit at once. */
export async function setStage(givenUrl: string | undefined, killers: (() => void)[]): Promise<Stage> {
  const home = await mkdtemp(join(process.cwd(), ".bench-")); // on a disk, because the system's temporary directory may be in memory
  await chmod(home, 0o755); // root's Postgres runs as another user, who needs access to the directory
  const dataDir = join(home, "data");
  killers.push(() => rmSync(home, { recursive: true, force: true, maxRetries: 10 }));
  killers.unshift(() => killServer(dataDir));
  const server = givenUrl ? undefined : await startEmbeddedPostgres(dataDir);
  const url = givenUrl ?? server?.url ?? "";
  const driver = startChild(new URL("./load/driver-child.ts", import.meta.url), {});
  const databases: string[] = [];
  return {
    home,
    driver,
    databasePids: server ? [serverPid(dataDir)] : [],
    async createDatabase() {
      const name = `bench_${randomUUID().replaceAll("-", "")}`;
      await runStatements(url, [`create database ${name}`]);
      databases.push(name);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    async stop() {
      await driver.stop();
      await (server ? server.stop() : dropDatabases(url, databases));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const dropDatabases = (url: string, names: string[]) =>
  runStatements(
    url,
    names.map((name) => `drop database ${name} with (force)`),
  );

async function runStatements(url: string, statements: string[]): Promise<void> {
  const client = await connectTo(url);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const pidFile = (dataDir: string) => join(dataDir, "postgres", "postmaster.pid");
const serverPid = (dataDir: string) => Number(readFileSync(pidFile(dataDir), "utf8").split("\n")[0]);

/**
 * Stops the server synchronously, because the process is exiting. Returns when the server is gone, because it would otherwise write into
 * the folder that is deleted next.
 */
function killServer(dataDir: string): void {
  if (!existsSync(pidFile(dataDir))) return;
  const pid = serverPid(dataDir);
  process.kill(pid, "SIGQUIT"); // makes Postgres quit immediately
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = Date.now() + goneTimeoutMs; isAlive(pid) && Date.now() < deadline; ) Atomics.wait(pause, 0, 0, 50);
}
