import { haltRuns, resumeRuns } from "../runs/halt.ts";
import { withDatabase } from "./database.ts";

export async function halt(): Promise<void> {
  await withDatabase(haltRuns);
  console.log("Halted. No run is claimed, and running runs go back to the queue at their next step. `ensemble resume` continues the work.");
}

export async function resume(): Promise<void> {
  await withDatabase(resumeRuns);
  console.log("Resumed.");
}
