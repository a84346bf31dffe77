import type { Pool, PoolClient } from "pg";

/** A statement with its parameters, as pg takes it. Made by the `sql` tag only, so that no value ever becomes text. */
export interface Sql {
  text: string;
  values: unknown[];
  name?: string;
}

/** Whatever runs a statement: the pool, or one transaction. Callers choose; rooms take it as their first argument. */
export interface Db {
  query<Row extends object>(statement: Sql): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** Public fields only: pg reads a statement through an object that merely inherits from it. */
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

  /** A `${fragment}` inside a statement is spliced in; every other value becomes the next parameter. */
  private write(values: unknown[]): string {
    return this.strings.reduce((text, string, index) => {
      const part = this.parts[index - 1];
      if (part instanceof Fragment) return text + part.write(values) + string;
      return `${text}$${values.push(part)}${string}`;
    });
  }
}

/** Tagged SQL: `sql\`select … where run_id = ${runId}\``. */
export function sql(strings: TemplateStringsArray, ...parts: unknown[]): Sql {
  return new Fragment(strings, parts);
}

/** Fragments with a separator between them: the rows of a `values` list, the conditions of a `where`. */
export function join(fragments: Sql[], separator = ", "): Sql {
  const between = fragments.slice(1).map(() => separator);
  return new Fragment(["", ...between, ""], fragments);
}

/**
 * A statement that is the same but for its values, and comes often: each connection has the server parse it once. A name stands for one
 * text only.
 */
export function prepared(name: string, { text, values }: Sql): Sql {
  return { name, text, values };
}

/** The empty fragment, for a condition that is not there. */
export const nothing: Sql = sql``;

/** Runs `work` in a transaction and takes everything back. */
export async function rehearse(pool: Pool, work: (tx: PoolClient) => Promise<unknown>): Promise<void> {
  const takenBack = new Error("The transaction is taken back.");
  const rehearsal = transaction(pool, async (tx) => {
    await work(tx);
    throw takenBack;
  });
  await rehearsal.catch((error) => {
    if (error !== takenBack) throw error;
  });
}

const failedCommits = new WeakSet<Error>();

/** Whether a transaction failed with this error when it was asked to commit. Before that nothing of it can be there. */
export const failedAtCommit = (error: Error): boolean => failedCommits.has(error);

/** Runs `work` in one transaction: all of it is committed, or nothing is. */
export async function transaction<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A line may break between two statements; such a connection is not given to anybody else.
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
      broken = failure; // the connection is of no more use to anyone
    });
    throw error;
  } finally {
    client.off("error", notice);
    client.release(broken);
  }
}
