import type { Pool, PoolClient } from "pg";

/**
 * A statement with its parameters, in the form that pg takes. Only the `sql` tag creates statements, so a value always becomes a parameter.
 */
export interface Sql {
  text: string;
  values: unknown[];
  name?: string;
  /** True to leave out rows that cannot be decrypted. If false, one such row makes the whole statement fail. */
  skipsUnreadable?: boolean;
}

/**
 * The pool or a transaction, on which statements run. Functions take a `Db` as their first argument, so that the caller decides whether
 * they run in a transaction.
 */
export interface Db {
  query<Row extends object>(statement: Sql): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/**
 * A piece of SQL that `sql` returns. It builds its text and its values only when pg reads the properties `text` and `values`. These are
 * getters on the prototype, because pg reads them through an object that inherits from the fragment.
 */
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

  /**
   * Returns the text of the statement, and collects its parameters in `values`. Each fragment among the parts is inserted, and every
   * other part becomes a parameter.
   */
  private write(values: unknown[]): string {
    return this.strings.reduce((text, string, index) => {
      const part = this.parts[index - 1];
      if (part instanceof Fragment) return text + part.write(values) + string;
      return `${text}$${values.push(part)}${string}`;
    });
  }
}

/** Returns a statement, or a fragment to insert into another statement. Example: `sql\`select … where run_id = ${runId}\``. */
export function sql(strings: TemplateStringsArray, ...parts: unknown[]): Sql {
  return new Fragment(strings, parts);
}

/** Joins fragments with a separator. Use it for the rows of a `values` list or the conditions of a `where` clause. */
export function join(fragments: Sql[], separator = ", "): Sql {
  const between = fragments.slice(1).map(() => separator);
  return new Fragment(["", ...between, ""], fragments);
}

/**
 * Returns a prepared statement with this name. The server parses it only once for each connection, so it suits frequent statements. The
 * same name must always have the same text.
 */
export function prepared(name: string, { text, values }: Sql): Sql {
  return { name, text, values };
}

/** The empty fragment, for an optional part of a statement that is left out. */
export const nothing: Sql = sql``;

/** Runs `work` in a transaction that is always rolled back. */
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

/**
 * Tells whether a transaction failed with this error during its commit. The transaction's changes may then have been stored. A transaction
 * that failed earlier has stored nothing.
 */
export const failedAtCommit = (error: Error): boolean => failedCommits.has(error);

/** Runs `work` in one transaction, which commits either all of its changes or none. */
export async function transaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Records that the connection broke between two statements, because the pool must not use the connection again.
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
      broken = failure; // the pool must close this connection
    });
    throw error;
  } finally {
    client.off("error", notice);
    client.release(broken);
  }
}
