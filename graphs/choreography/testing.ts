import { agent, type Member } from "ensemble/patterns";
import type { ListenerInCode } from "./listeners.ts";

/** The first event of a run with the default listeners. */
export const startTesting = "START_TESTING";

const object = (properties: Record<string, object>) => ({ type: "object", properties, required: Object.keys(properties) });
const text = (description: string) => ({ type: "string", description });

/** The agents of the default listeners. */
export const testers: Member[] = [
  agent({
    name: "scout",
    role: "a tester who looks for the most serious problem in what you are given",
    output: object({ issue: text("The problem in a sentence"), place: text("Where it is") }),
  }),
  agent({
    name: "validator",
    role: "a careful reviewer who trusts nothing that was not checked",
    output: object({
      issue: text("The problem in a sentence"),
      risk: { type: "string", enum: ["low", "high"], description: "high: it can lose data, money or trust" },
      reason: text("Why you judge so"),
    }),
  }),
  agent({
    name: "healer",
    role: "an engineer who repairs one problem with the smallest change",
    output: object({ issue: text("The problem in a sentence"), fix: text("The change") }),
  }),
  agent({ name: "reporter", role: "a writer of short reports" }),
];

/**
 * The default listeners, for runs that define no listeners. They look for a problem, confirm it, repair it if the risk is high, and report.
 */
export const testListeners: ListenerInCode[] = [
  {
    name: "scout",
    on: startTesting,
    do: { agent: "scout", task: "Find the most serious problem in the payload. Choose NOTHING_FOUND if there is none." },
    emits: ["ISSUE_FOUND", "NOTHING_FOUND"],
  },
  {
    name: "validator",
    on: "ISSUE_FOUND",
    do: { agent: "validator", task: "Is this problem real, and how high is its risk? Choose ISSUE_CONFIRMED or ISSUE_DISMISSED." },
    emits: ["ISSUE_CONFIRMED", "ISSUE_DISMISSED"],
    sees: "chain",
  },
  {
    name: "healer",
    on: { or: [{ event: "ISSUE_CONFIRMED", when: { path: "payload.risk", is: "high" } }, "FIX_REJECTED"] },
    do: { agent: "healer", task: "Propose a change that repairs the problem. If a change was rejected, propose another one." },
    emits: ["FIX_ATTEMPTED"],
    maxFires: 3,
    sees: "chain",
  },
  {
    name: "verifier",
    on: "FIX_ATTEMPTED",
    do: { agent: "validator", task: "Does this change repair the problem? Choose VALIDATION_COMPLETE if it does, or else FIX_REJECTED." },
    emits: ["VALIDATION_COMPLETE", "FIX_REJECTED"],
    sees: "chain",
  },
  {
    name: "logger",
    on: { event: "ISSUE_CONFIRMED", when: { path: "payload.risk", is: "low" } },
    do: { agent: "reporter", task: "Write one line about the problem for the log." },
    emits: ["ISSUE_LOGGED"],
  },
  {
    name: "reporter",
    on: { or: ["VALIDATION_COMPLETE", "ISSUE_DISMISSED", "NOTHING_FOUND"] },
    do: { agent: "reporter", task: "Report what was found and what was done about it, in at most five sentences." },
    emits: ["REPORT_WRITTEN"],
    sees: "chain",
  },
];
