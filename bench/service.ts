import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

/** A service of its own, in a process of its own, and a look into its database. */
export interface BenchService {
  url: string;
  db: pg.Client;
  stop(): Promise<void>;
}

export async function startBenchService(env: Record<string, string> = {}): Promise<BenchService> {
  const home = await mkdtemp(join(process.cwd(), ".bench-"));
  await chmod(home, 0o755); // for root, whose Postgres runs as another user
  const dataDir = join(home, "data");
  const { child, url } = await startProcess({ PORT: "0", LOG_LEVEL: "silent", ENSEMBLE_DATA_DIR: dataDir, ...env });
  const db = new pg.Client(await databaseOf(dataDir));
  await db.connect();
  return {
    url,
    db,
    async stop() {
      await db.end();
      child.kill("SIGTERM");
      await once(child, "exit");
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function startProcess(env: Record<string, string>) {
  const child = fork("src/cli/ensemble.ts", ["start"], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit", "ipc"] });
  let output = "";
  for await (const chunk of child.stdout ?? []) {
    output += chunk;
    const url = /listens on (\S+)/.exec(output)?.[1];
    if (url) return { child, url };
  }
  throw new Error("the service did not start");
}

async function databaseOf(dataDir: string): Promise<string> {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL;
  const password = (await readFile(join(dataDir, "password"), "utf8")).trim();
  const port = (await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8")).split("\n")[3];
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
}
