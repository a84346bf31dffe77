import pg from "pg";
import { onTestFinished } from "vitest";

/** Returns a database that rolls back each statement, and adds up the pages that the statements read. */
export async function countBlocks(db: pg.Pool) {
  const explaining = new pg.Client({ connectionString: db.options.connectionString });
  await explaining.connect();
  onTestFinished(() => explaining.end());
  const touched = { blocks: 0 };
  const explained = {
    async query<Row>({ text, values }: { text: string; values: unknown[] }) {
      await explaining.query("begin");
      const { rows, rowCount } = await explaining.query(text, values);
      await explaining.query("rollback; begin");
      if (!text.startsWith("explain")) {
        const explained = await explaining.query(`explain (analyze, buffers, format json) ${text}`, values);
        const { Plan } = explained.rows[0]["QUERY PLAN"][0];
        touched.blocks += Plan["Shared Hit Blocks"] + Plan["Shared Read Blocks"];
      }
      await explaining.query("rollback");
      return { rows: rows as Row[], rowCount };
    },
  };
  return { touched, explained };
}
