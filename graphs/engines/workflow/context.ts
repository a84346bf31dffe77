import { AskTimeout } from "../../agent/ask-human.ts";
import { AllowedHosts } from "../../agent/context.ts";
import { Roster } from "../../agent/schema.ts";

/** The fields of the context of every pattern whose steps are work as data. */
export const stepContext = {
  agents: Roster.optional().describe("Agents to which the work refers by name"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
