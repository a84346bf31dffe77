import { hostname } from "node:os";
import { z } from "zod";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { openPool } from "../db/pool.ts";
import { isWorkerAlive } from "../runs/workers.ts";
import { ownAddress } from "./address.ts";
import { readEnvironment } from "./environment.ts";

/** What everybody may ask, whoever else must sign in. It is not known whether work is halted while the database is away. */
const Info = z.object({ halted: z.boolean().nullable() });

/** For container health checks: an API is asked over HTTP, a worker is looked up in the database. */
export async function checkHealth(): Promise<void> {
  const config = await readEnvironment();
  const { role, databaseUrl, databaseDirectUrl, leaseSeconds } = config;
  if (role === "worker") await askDatabase(databaseDirectUrl ?? databaseUrl, leaseSeconds);
  else await askApi((await ownAddress(config)).url);
  console.log("ok");
}

async function askApi(url: string): Promise<void> {
  const response = await ask(`${url}/info`);
  if (response.status === 404) return askWithoutMeta(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const info = Info.safeParse(await response.json());
  if (info.data?.halted === null) throw new Error("The API's database does not answer.");
}

/** With `http.disable_meta` all that is left to see is that it answers, be it to ask who we are. */
async function askWithoutMeta(url: string): Promise<void> {
  const { status } = await ask(`${url}/ok`);
  if (![200, 401, 403].includes(status)) throw new Error(`${url}/ok answers ${status}`);
}

async function ask(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error: Error) => {
    throw new Error(`${url} does not answer: ${error.message}`);
  });
}

async function askDatabase(url: string | undefined, leaseSeconds: number): Promise<void> {
  if (!url) throw new Error("A worker needs DATABASE_URL.");
  const pool = openPool({ url: checkDatabaseUrl("DATABASE_URL", url), size: 1, onError: () => {} });
  try {
    const alive = await isWorkerAlive(pool, hostname(), leaseSeconds).catch(explainDatabase(url));
    if (!alive) throw new Error("No worker of this host was heard of within the lease.");
  } finally {
    await pool.end();
  }
}
