import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface PoolOptions {
  url: string;
  size: number;
  /**
   * The time after which a statement and its connection are abandoned, because a network can lose a connection silently. Undefined: never.
   */
  queryTimeoutSeconds?: number;
  /** Whether the server keeps frequent statements by name. Poolers that share connections may not support this. */
  prepares?: boolean;
  /** Whether a pooler stands in between. It refuses our session options, and manages its own connections to the server. */
  isPooled?: boolean;
  onError: (error: Error) => void;
}

/**
 * Session options that let the server notice a vanished client. pg's own keepAlive covers only our side. A blocked event loop takes no
 * data, which counts as vanished after the user timeout, so it gets a minute.
 */
const serverKeepalives = keepalives(60_000);
/** Session options for a connection whose thread never blocks. */
export const impatientKeepalives = keepalives(10_000);

function keepalives(userTimeoutMs: number): string {
  return `-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=${userTimeoutMs}`;
}

/** Returns the options of every connection, pooled or not. */
export function connectionOptions(url: string, applicationName: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: 10_000,
    options: serverKeepalives,
  };
}

/** Drops statement names, so that no statement relies on a connection that has prepared it. */
class NamelessClient extends pg.Client {
  override query(...[statement, ...others]: unknown[]): never {
    const isNamed = typeof statement === "object" && statement !== null && "name" in statement && "text" in statement;
    const sent = isNamed ? { ...statement, name: undefined } : statement;
    return (super.query as (...args: unknown[]) => unknown)(sent, ...others) as never;
  }
}

/** Opens the pool of a process. A broken idle connection is reported to `onError` and replaced, and never crashes the process. */
export function openPool({ url, size, queryTimeoutSeconds, prepares = true, isPooled = false, onError }: PoolOptions): pg.Pool {
  // The server needs the timeout too. Otherwise it would continue a statement whose result nobody awaits.
  const limit = queryTimeoutSeconds === undefined ? undefined : Math.ceil(queryTimeoutSeconds * 1000);
  const limited = limit !== undefined && { query_timeout: limit, options: `${serverKeepalives} -c statement_timeout=${limit}` };
  const pool = new pg.Pool({
    ...connectionOptions(url, "ensemble"),
    ...limited,
    ...(isPooled && { options: undefined }),
    ...(!prepares && { Client: NamelessClient }),
    max: size,
  });
  pool.on("error", (error) => {
    if (!pool.ending) onError(error); // the server may close connections while the pool ends
  });
  // The pool does not listen to a client that it has just handed out, and the server may close a connection right after accepting it.
  // An "error" event without a listener would end the process. The next statement reports the error.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

const closeTimeoutMs = 2_000;

/** Closes a connection. A dead one never finishes closing, so its socket is destroyed after a timeout. */
export async function closeConnection(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(closeTimeoutMs, undefined, { ref: false })]);
  const { connection } = client as unknown as { connection: { stream: Socket } }; // missing in pg's types
  connection.stream.destroy();
}

/** Closes the pool. After the timeout it no longer waits for dead connections. */
export async function closePool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), sleep(closeTimeoutMs, undefined, { ref: false })]);
}
