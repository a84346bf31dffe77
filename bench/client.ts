import pg from "pg";

/** Opens a client that only inspects a database. If its connection breaks, the next statement fails, and the process continues. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return client;
}
