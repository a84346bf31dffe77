import type { IconName } from "../../../parts/icons.tsx";
import type { Outcome } from "./assignments.ts";

/** How the outcome of a step or of an agent's work looks. The word says the same as the colour. */
export const outcomeLooks: Record<Outcome, { label: string; icon: IconName; colour: string }> = {
  running: { label: "Running", icon: "running", colour: "text-accent" },
  done: { label: "Done", icon: "check", colour: "text-good" },
  failed: { label: "Failed", icon: "cross", colour: "text-bad" },
  stopped: { label: "Stopped", icon: "pause", colour: "text-warn" },
};
