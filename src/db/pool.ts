import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface PoolOptions {
  url: string;
  size: number;
  /**
   * The number of seconds after which this process gives up a statement and its connection. A network can lose a connection silently, so a
   * limit is needed. Undefined means no limit.
   */
  queryTimeoutSeconds?: number;
  /** True if the server may keep prepared statements by name. Some connection poolers do not support this. */
  prepares?: boolean;
  /** True if a connection pooler is between this process and the server. Session options are then left out, because poolers refuse them. */
  isPooled?: boolean;
  /** Returns the class of the pool's connections, which extends `Base`. For example, this class encrypts the values of statements. */
  extend?: ((Base: typeof pg.Client) => typeof pg.Client) | undefined;
  onError: (error: Error) => void;
}

/**
 * Session options with which the server detects that this process has vanished, for example after a power failure. pg's own option
 * `keepAlive` only detects a vanished server. The server waits a minute, because a process whose event loop is blocked may read no data for
 * that long.
 */
const serverKeepalives = keepalives(60_000);
/** Session options for a connection of a Node worker thread that never blocks. The server waits only ten seconds for such a client. */
export const impatientKeepalives = keepalives(10_000);

function keepalives(userTimeoutMs: number): string {
  return `-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=${userTimeoutMs}`;
}

/** Returns the options that every connection uses, in the pool and outside it. */
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

/**
 * A pg client that omits the names of prepared statements. Behind a pooler, the next statement may run on another connection, which does
 * not know the name.
 */
class NamelessClient extends pg.Client {
  override query(...[statement, ...others]: unknown[]): never {
    const isNamed = typeof statement === "object" && statement !== null && "name" in statement && "text" in statement;
    const sent = isNamed ? { ...statement, name: undefined } : statement;
    return (super.query as (...args: unknown[]) => unknown)(sent, ...others) as never;
  }
}

/** Opens the connection pool of a process. If an idle connection breaks, the pool replaces it and reports the error to `onError`. */
export function openPool({ url, size, queryTimeoutSeconds, prepares = true, isPooled = false, extend, onError }: PoolOptions): pg.Pool {
  // The server gets the same time limit. Otherwise, the server would continue a statement that this process has given up.
  const limit = queryTimeoutSeconds === undefined ? undefined : Math.ceil(queryTimeoutSeconds * 1000);
  const limited = limit !== undefined && { query_timeout: limit, options: `${serverKeepalives} -c statement_timeout=${limit}` };
  const Usual = prepares ? pg.Client : NamelessClient;
  const pool = new pg.Pool({
    ...connectionOptions(url, "ensemble"),
    ...limited,
    ...(isPooled && { options: undefined }),
    Client: extend ? extend(Usual) : Usual,
    max: size,
  });
  pool.on("error", (error) => {
    if (!pool.ending) onError(error); // the server may close connections while the pool ends
  });
  // Ignores errors on connections in use, because an "error" event without a listener would end this process. The pool listens only to idle
  // connections. The next statement on the connection reports the error.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

const closeTimeoutMs = 2_000;

/** Closes a connection. A dead connection never finishes closing, so its socket is destroyed after a timeout. */
export async function closeConnection(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(closeTimeoutMs, undefined, { ref: false })]);
  const { connection } = client as unknown as { connection: { stream: Socket } }; // pg's types lack this property
  connection.stream.destroy();
}

/** Closes the pool. Waits at most two seconds for the pool's connections, because a dead connection never closes. */
export async function closePool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), sleep(closeTimeoutMs, undefined, { ref: false })]);
}
