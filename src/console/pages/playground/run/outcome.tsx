import type { IconName } from "../../../parts/icons.tsx";
import type { Outcome } from "./assignments.ts";

/** The label, icon and colour for the outcome of a step or an assignment. The label says the same as the colour. */
export const outcomeLooks: Record<Outcome, { label: string; icon: IconName; colour: string }> = {
  running: { label: "Running", icon: "running", colour: "text-accent" },
  done: { label: "Done", icon: "check", colour: "text-good" },
  failed: { label: "Failed", icon: "cross", colour: "text-bad" },
  stopped: { label: "Stopped", icon: "pause", colour: "text-warn" },
};
