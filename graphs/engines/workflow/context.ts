import { AskTimeout } from "../../agent/ask-human.ts";
import { AllowedHosts } from "../../agent/context.ts";
import { Roster } from "../../agent/schema.ts";

/** The context fields of every pattern whose steps are defined as data. */
export const stepContext = {
  agents: Roster.optional().describe("Agents to which the work refers by name"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
