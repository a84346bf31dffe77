import { exportLists } from "../checkpoints/export.ts";
import { withDatabase } from "./database.ts";

/** Makes the checkpoint tables what LangGraph's own PostgresSaver can read. */
export async function exportCheckpoints(): Promise<void> {
  const exported = await withDatabase(exportLists);
  console.log(`${exported} versions of lists are stored whole now: LangGraph's own PostgresSaver reads them all.`);
}
