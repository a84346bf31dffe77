import pg from "pg";

/** A look into a database. A connection that breaks shows in the next statement, not at the process. */
export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return client;
}
