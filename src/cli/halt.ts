import { haltRuns, resumeRuns } from "../runs/halt.ts";
import { withDatabase } from "./database.ts";

export async function halt(): Promise<void> {
  await withDatabase(haltRuns);
  console.log("Halted: no run is claimed, and running ones go back to the queue at their next step. `ensemble resume` lets them go on.");
}

export async function resume(): Promise<void> {
  await withDatabase(resumeRuns);
  console.log("Resumed.");
}
