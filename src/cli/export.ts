import { exportLists } from "../checkpoints/export.ts";
import { withDatabase } from "./database.ts";

/** Stores lists whole, so that LangGraph's own PostgresSaver can read the checkpoint tables. */
export async function exportCheckpoints(): Promise<void> {
  const exported = await withDatabase(exportLists);
  console.log(`${exported} versions of lists are stored whole now. LangGraph's own PostgresSaver can read all of them.`);
}
