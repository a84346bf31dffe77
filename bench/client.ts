import pg from "pg";

/** Opens a client for inspection. A broken connection shows in the next statement and does not end the process. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return client;
}
