/**
 * The library `ensemble/patterns`. Its parts come first and the patterns last, because the patterns import the parts from here by the
 * name of the package.
 */
export { type Agent, type AgentOptions, agent, asAgent, fromData, type Member, type Workable } from "./agent/agent.ts";
export type { AgentRun } from "./agent/agent-run.ts";
export { AgentState } from "./agent/agent-state.ts";
export { AskTimeout, askAnswer, askApproval } from "./agent/ask-human.ts";
export { buildAgent } from "./agent/build.ts";
export { closed } from "./agent/closed.ts";
export {
  AllowedDirectories,
  AllowedHosts,
  type Budget,
  Cache,
  type Limits,
  type Models,
  mostSuperSteps,
  patternContext,
  sharedContext,
  solverContext,
  tierOf,
} from "./agent/context.ts";
export { withDefaults } from "./agent/defaults.ts";
export { BudgetExceeded, budgetLeft, CallStatus, enforceBudget, entryOf, Ledger, LedgerEntry } from "./agent/ledger.ts";
export { report } from "./agent/progress.ts";
export { asText } from "./agent/prompt.ts";
export { type Assignment, failureOf, type Outcome, requireAgent, runAgent } from "./agent/run-agent.ts";
export { AgentData, Roster } from "./agent/schema.ts";
export { appending } from "./agent/state.ts";
export { jsonSchemaOf } from "./agent/structured.ts";
export { answerWith, beginTask, Material, taskInput, taskOf, taskState } from "./agent/task.ts";
export { ToolName } from "./agent/tool-names.ts";
export { type ProjectParts, useProject } from "./agent/use-project.ts";
export { type ChatOptions, chat } from "./chat.ts";
export { type PlanExecuteOptions, planExecute } from "./plan-execute.ts";
export { type ReactOptions, react } from "./react.ts";
export { type ReflectOptions, reflect } from "./reflect.ts";
export { type SupervisorOptions, supervisor } from "./supervisor.ts";
