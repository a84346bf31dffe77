import { hostname } from "node:os";
import { z } from "zod";
import { checkDatabaseUrl, explainDatabase } from "../db/address.ts";
import { openPool } from "../db/pool.ts";
import { isWorkerAlive } from "../runs/workers.ts";
import { readEnvironment } from "../startup/environment.ts";
import { ownAddress } from "../startup/own-address.ts";

/** The response of /info, which needs no credentials. `halted` is null while the database does not respond. */
const Info = z.object({ halted: z.boolean().nullable() });

/**
 * Checks the health of the API or worker in this container, and throws if it is not healthy. Calls an API over HTTP. A worker has no API,
 * so the check looks for the worker in the database.
 */
export async function checkHealth(): Promise<void> {
  const config = await readEnvironment();
  const { role, databaseUrl, databaseDirectUrl, leaseSeconds } = config;
  if (role === "worker") await checkWorker(databaseDirectUrl ?? databaseUrl, leaseSeconds);
  else await checkApi((await ownAddress(config)).url);
  console.log("ok");
}

async function checkApi(url: string): Promise<void> {
  const response = await ask(`${url}/info`);
  if (response.status === 404) return checkWithoutMeta(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  const info = Info.safeParse(await response.json());
  if (info.data?.halted === null) throw new Error("The API's database does not answer.");
}

/**
 * Checks only that the service responds, because `http.disable_meta` removes /info. A refusal for missing credentials also shows that the
 * service is running.
 */
async function checkWithoutMeta(url: string): Promise<void> {
  const { status } = await ask(`${url}/ok`);
  if (![200, 401, 403].includes(status)) throw new Error(`${url}/ok answers ${status}`);
}

async function ask(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error: Error) => {
    throw new Error(`${url} does not answer: ${error.message}`);
  });
}

async function checkWorker(url: string | undefined, leaseSeconds: number): Promise<void> {
  if (!url) throw new Error("A worker needs DATABASE_URL.");
  const pool = openPool({ url: checkDatabaseUrl("DATABASE_URL", url), size: 1, onError: () => {} });
  try {
    const alive = await isWorkerAlive(pool, hostname(), leaseSeconds).catch(explainDatabase(url));
    if (!alive) throw new Error("No worker on this host has reported within the lease.");
  } finally {
    await pool.end();
  }
}
