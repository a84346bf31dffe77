import { hostname } from "node:os";
import { readConfig } from "../config.ts";
import { openPool } from "../db/pool.ts";
import { isWorkerAlive } from "../runs/workers.ts";

/** For container health checks: an API is asked over HTTP, a worker is looked up in the database. */
export async function checkHealth(): Promise<void> {
  const config = readConfig();
  if (config.role !== "worker")
    await askApi(`http://${config.host === "0.0.0.0" ? "127.0.0.1" : config.host}:${config.port}/ok?check_db=1`);
  else await askDatabase(config.databaseUrl, config.leaseSeconds);
  console.log("ok");
}

async function askApi(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error: Error) => {
    throw new Error(`${url} does not answer: ${error.message}`);
  });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
}

async function askDatabase(url: string | undefined, leaseSeconds: number): Promise<void> {
  if (!url) throw new Error("A worker needs DATABASE_URL.");
  const pool = openPool({ url, size: 1, onError: () => {} });
  try {
    if (!(await isWorkerAlive(pool, hostname(), leaseSeconds))) throw new Error("No worker of this host was heard of within the lease.");
  } finally {
    await pool.end();
  }
}
