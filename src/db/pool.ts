import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

export interface PoolOptions {
  url: string;
  size: number;
  /** After this a statement is given up, and its connection with it: a network can lose a line without a word. None: never. */
  queryTimeoutSeconds?: number;
  /** Whether statements that come often are kept by the server, by their names. Poolers that share connections may not keep them. */
  prepares?: boolean;
  /** Whether a pooler stands in between. It refuses the options that we start a session with, and keeps lines of its own. */
  isPooled?: boolean;
  onError: (error: Error) => void;
}

/**
 * Lets the server notice a vanished client; pg's own keepAlive covers only our side. An event loop that stands still takes no data, which
 * counts as vanished after the last of these times: a minute is left to it.
 */
const serverKeepalives = keepalives(60_000);
/** For a connection whose thread never stands still. */
export const impatientKeepalives = keepalives(10_000);

function keepalives(userTimeoutMs: number): string {
  return `-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=${userTimeoutMs}`;
}

/** How every connection of ours is made, pooled or not. */
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

/** Sends every statement whole: no later one relies on a connection that has seen it. */
class NamelessClient extends pg.Client {
  override query(...[statement, ...others]: unknown[]): never {
    const isNamed = typeof statement === "object" && statement !== null && "name" in statement && "text" in statement;
    const sent = isNamed ? { ...statement, name: undefined } : statement;
    return (super.query as (...args: unknown[]) => unknown)(sent, ...others) as never;
  }
}

/** The one pool of a process. An idle connection that breaks is reported and replaced, never thrown at the process. */
export function openPool({ url, size, queryTimeoutSeconds, prepares = true, isPooled = false, onError }: PoolOptions): pg.Pool {
  // The server is told as well: it would go on with a statement whose answer nobody awaits.
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
    if (!pool.ending) onError(error); // the server may be closing, too, while we say goodbye
  });
  // The pool does not listen to a client that it has just handed out, and the server may end one in the same breath in which it
  // welcomes it: an "error" event that nobody hears would end the process. The next statement says what happened.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

const goodbyeMs = 2_000;

/** Closes a connection. One whose line is dead would never answer the goodbye: its socket is closed without. */
export async function closeConnection(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), sleep(goodbyeMs, undefined, { ref: false })]);
  const { connection } = client as unknown as { connection: { stream: Socket } }; // which pg's types leave out
  connection.stream.destroy();
}

/** Closes the pool, waiting no longer for dead lines either. */
export async function closePool(pool: pg.Pool): Promise<void> {
  await Promise.race([pool.end(), sleep(goodbyeMs, undefined, { ref: false })]);
}
