import { AskTimeout } from "../../agent/ask-human.ts";
import { AllowedHosts } from "../../agent/context.ts";
import { Roster } from "../../agent/schema.ts";

/** The context fields that the patterns with steps share. */
export const stepContext = {
  agents: Roster.optional().describe("Agents to which the work refers by name"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
