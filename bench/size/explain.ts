import type pg from "pg";
import type { Db, Sql } from "../../src/db/sql.ts";

/** The cost of one or more statements. */
export interface Cost {
  ms: number;
  /** The number of 8 kB pages that were read, from memory or from disk. */
  blocks: number;
}

interface Plan {
  "Execution Time": number;
  Plan: { "Shared Hit Blocks": number; "Shared Read Blocks": number };
}

/** A piece of work to measure. Statements that it sends through `aside` are not measured. */
export type Work = (db: Db, aside: Db) => Promise<unknown>;

/** Runs `work` in a transaction that is rolled back. Returns the cost of its statements, which Postgres measures. */
export async function explain(client: pg.Client, work: Work): Promise<Cost> {
  const cost: Cost = { ms: 0, blocks: 0 };
  const measuring: Db = {
    async query<Row extends object>(statement: Sql) {
      const { text, values } = statement;
      if (!text.trimStart().startsWith("explain")) await measure(text, values);
      return client.query<Row>(text, values);
    },
  };

  async function measure(text: string, values: unknown[]): Promise<void> {
    await client.query("savepoint before");
    const { rows } = await client.query<{ "QUERY PLAN": [Plan] }>(`explain (analyze, buffers, format json) ${text}`, values);
    await client.query("rollback to before");
    const [{ Plan, "Execution Time": ms }] = (rows[0] as (typeof rows)[number])["QUERY PLAN"];
    cost.ms += ms;
    cost.blocks += Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"];
  }

  await client.query("begin");
  try {
    await work(measuring, client);
  } finally {
    await client.query("rollback");
  }
  return cost;
}
