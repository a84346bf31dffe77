import { type Agent, AgentData, closed } from "ensemble/patterns";
import type { z } from "zod";

const { name, role, description, goal, backstory, instructions, model, temperature, retries } = AgentData.shape;

/** The schema of the agent that leads a team. A leader has no tools, because it only plans, judges and reports. */
export const Leader = closed({ name, role, description, goal, backstory, instructions, model, temperature, retries }).describe(
  "Agent that plans, reviews and reports. Default: a supervisor",
);
export type Leader = z.infer<typeof Leader>;

/**
 * Returns the agent that does a leader's work: the run's leader, or otherwise the default agent (`usual`). The instructions of the default
 * agent always apply.
 */
export function leading(usual: Agent, { leader, timeoutSeconds }: { leader?: Leader; timeoutSeconds: number }): Agent {
  const instructions = [leader?.instructions, usual.instructions].filter(Boolean).join("\n");
  return { ...usual, ...leader, instructions, timeoutSeconds };
}
