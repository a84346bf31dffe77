import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface PoolOptions {
  url: string;
  size: number;
  /**
   * The time after which a statement and its connection are abandoned, because a network can lose a connection silently. Undefined means
   * never.
   */
  queryTimeoutSeconds?: number;
  /** True if the server keeps frequent statements by name. A pooler that shares connections between clients may not support this. */
  prepares?: boolean;
  /**
   * True if a connection pooler stands between this process and the server. Poolers refuse our session options, and manage their own
   * connections to the server.
   */
  isPooled?: boolean;
  onError: (error: Error) => void;
}

/**
 * Session options that let the server notice a vanished client. (pg's `keepAlive` only lets the client notice a vanished server.) A client
 * whose event loop is blocked reads no data, so the server allows it a minute.
 */
const serverKeepalives = keepalives(60_000);
/** Session options for a connection of a thread that never blocks. The server allows it only ten seconds. */
export const impatientKeepalives = keepalives(10_000);

function keepalives(userTimeoutMs: number): string {
  return `-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=${userTimeoutMs}`;
}

/** Returns the options that every connection uses, inside or outside the pool. */
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

/** A client that drops statement names. Behind a pooler, the next statement may run on a connection that has not prepared the name. */
class NamelessClient extends pg.Client {
  override query(...[statement, ...others]: unknown[]): never {
    const isNamed = typeof statement === "object" && statement !== null && "name" in statement && "text" in statement;
    const sent = isNamed ? { ...statement, name: undefined } : statement;
    return (super.query as (...args: unknown[]) => unknown)(sent, ...others) as never;
  }
}

/**
 * Opens the pool of a process. If an idle connection breaks, the pool reports it to `onError` and replaces it, and the process continues.
 */
export function openPool({ url, size, queryTimeoutSeconds, prepares = true, isPooled = false, onError }: PoolOptions): pg.Pool {
  // The server needs the timeout too. Otherwise it would go on with a statement whose result nobody awaits.
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
  // The pool does not listen for errors on a client that it has just handed out, and the server may close a connection right after
  // accepting it. An "error" event without a listener would end the process. The client's next statement reports the error.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

const closeTimeoutMs = 2_000;

/** Closes a connection. A dead connection never finishes closing, so its socket is destroyed after a timeout. */
export async function closeConnection(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(closeTimeoutMs, undefined, { ref: false })]);
  const { connection } = client as unknown as { connection: { stream: Socket } }; // missing in pg's types
  connection.stream.destroy();
}

/** Closes the pool. Waits at most two seconds for its connections, because dead ones never close. */
export async function closePool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), sleep(closeTimeoutMs, undefined, { ref: false })]);
}
