import pg from "pg";

export interface PoolOptions {
  url: string;
  size: number;
  onError: (error: Error) => void;
}

/** Lets the server notice a vanished client; pg's own keepAlive covers only our side. */
const serverKeepalives = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000";

/** How every connection of ours is made, pooled or not. */
export function connectionOptions(url: string, applicationName: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    options: serverKeepalives,
  };
}

/** The one pool of a process. An idle connection that breaks is reported and replaced, never thrown at the process. */
export function openPool({ url, size, onError }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(url, "ensemble"), max: size });
  pool.on("error", onError);
  return pool;
}
