import type { Pool, PoolClient } from "pg";

/** A statement with its parameters, as pg takes it. Only the `sql` tag creates one, so that no value ever becomes text. */
export interface Sql {
  text: string;
  values: unknown[];
  name?: string;
}

/** Runs statements, as the pool or one transaction. Functions take it as their first argument, and the caller chooses. */
export interface Db {
  query<Row extends object>(statement: Sql): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** A piece of SQL. `text` and `values` are public, because pg reads a statement through an object that inherits from it. */
class Fragment implements Sql {
  readonly strings: readonly string[];
  readonly parts: readonly unknown[];
  private rendered: { text: string; values: unknown[] } | undefined;

  constructor(strings: readonly string[], parts: readonly unknown[]) {
    this.strings = strings;
    this.parts = parts;
  }

  get text(): string {
    return this.render().text;
  }

  get values(): unknown[] {
    return this.render().values;
  }

  private render() {
    if (!this.rendered) {
      const values: unknown[] = [];
      this.rendered = { text: this.write(values), values };
    }
    return this.rendered;
  }

  /** Returns the text, with each `${fragment}` spliced in. Every other value becomes the next parameter. */
  private write(values: unknown[]): string {
    return this.strings.reduce((text, string, index) => {
      const part = this.parts[index - 1];
      if (part instanceof Fragment) return text + part.write(values) + string;
      return `${text}$${values.push(part)}${string}`;
    });
  }
}

/** Returns a statement or fragment: `sql\`select … where run_id = ${runId}\``. */
export function sql(strings: TemplateStringsArray, ...parts: unknown[]): Sql {
  return new Fragment(strings, parts);
}

/** Joins fragments with a separator, for the rows of a `values` list or the conditions of a `where`. */
export function join(fragments: Sql[], separator = ", "): Sql {
  const between = fragments.slice(1).map(() => separator);
  return new Fragment(["", ...between, ""], fragments);
}

/** Returns a named statement, which the server parses once a connection. Use it for frequent statements. One name stands for one text. */
export function prepared(name: string, { text, values }: Sql): Sql {
  return { name, text, values };
}

/** The empty fragment, for a condition that is not there. */
export const nothing: Sql = sql``;

/** Runs `work` in a transaction and rolls it back. */
export async function rehearse(pool: Pool, work: (tx: PoolClient) => Promise<unknown>): Promise<void> {
  const rollback = new Error("The transaction is rolled back.");
  const rehearsal = transaction(pool, async (tx) => {
    await work(tx);
    throw rollback;
  });
  await rehearsal.catch((error) => {
    if (error !== rollback) throw error;
  });
}

const failedCommits = new WeakSet<Error>();

/** Returns whether a transaction failed with this error at its commit. A transaction that failed earlier has stored nothing. */
export const failedAtCommit = (error: Error): boolean => failedCommits.has(error);

/** Runs `work` in one transaction, and commits all of it or nothing. */
export async function transaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The connection may break between two statements. The pool must not hand it out again.
  const notice = (error: Error) => {
    broken = error;
  };
  client.on("error", notice);
  try {
    await client.query("begin");
    const result = await work(client);
    await client.query("commit").catch((error: Error) => {
      failedCommits.add(error);
      throw error;
    });
    return result;
  } catch (error) {
    await client.query("rollback").catch((failure: Error) => {
      broken = failure; // the connection is unusable
    });
    throw error;
  } finally {
    client.off("error", notice);
    client.release(broken);
  }
}
