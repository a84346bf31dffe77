import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import pg from "pg";

/**
 * `npm run bench`: an idle service, one client, a one-node graph. Milliseconds from POST to the first event and to the end of the
 * stream, beside a committed one-row insert on the same server in the same minute.
 */
const warmUp = 50;
const samples = 300;

interface Sample {
  firstEvent: number;
  end: number;
}

function runOnce(url: string): Promise<Sample> {
  const body = JSON.stringify({ assistant_id: "echo", input: { messages: [{ role: "user", content: "hello" }] } });
  const { promise, resolve, reject } = Promise.withResolvers<Sample>();
  const started = performance.now();
  let firstEvent = 0;
  const posted = request(`${url}/runs/stream`, { method: "POST", headers: { "content-type": "application/json" } }, (response) => {
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      if (firstEvent === 0 && text.includes("event: ")) firstEvent = performance.now() - started;
    });
    response.on("end", () => resolve({ firstEvent, end: performance.now() - started }));
  });
  posted.on("error", reject);
  posted.end(body);
  return promise;
}

async function committedInsert(db: pg.Client): Promise<number> {
  const started = performance.now();
  await db.query("insert into bench_rows (note) values ('x')");
  return performance.now() - started;
}

function describe(name: string, values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1).padStart(8);
  return `${name.padEnd(28)}${at(0.5)}${at(0.9)}${at(0.99)}`;
}

async function startService(dataDir: string) {
  const env = { ...process.env, PORT: "0", LOG_LEVEL: "silent", ENSEMBLE_DATA_DIR: dataDir };
  const child = fork("src/cli/ensemble.ts", ["start"], { env, stdio: ["ignore", "pipe", "inherit", "ipc"] });
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

const dataDir = await mkdtemp(join(process.cwd(), ".bench-"));
await chmod(dataDir, 0o755); // for root, whose Postgres runs as another user
const { child, url } = await startService(join(dataDir, "data"));
try {
  const db = new pg.Client(await databaseOf(join(dataDir, "data")));
  await db.connect();
  await db.query("create table bench_rows (note text)");
  const runs: Sample[] = [];
  const inserts: number[] = [];
  for (let n = 0; n < warmUp + samples; n++) {
    const run = await runOnce(url);
    const insert = await committedInsert(db);
    if (n >= warmUp) {
      runs.push(run);
      inserts.push(insert);
    }
  }
  console.log(`${"milliseconds, one client".padEnd(28)}${"p50".padStart(8)}${"p90".padStart(8)}${"p99".padStart(8)}`);
  console.log(
    describe(
      "POST to first event",
      runs.map(({ firstEvent }) => firstEvent),
    ),
  );
  console.log(
    describe(
      "POST to end",
      runs.map(({ end }) => end),
    ),
  );
  console.log(describe("one committed insert", inserts));
  await db.query("drop table bench_rows");
  await db.end();
} finally {
  child.kill("SIGTERM");
  await once(child, "exit");
  await rm(dataDir, { recursive: true, force: true });
}
