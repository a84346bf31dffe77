import type { BaseMessage } from "@langchain/core/messages";
import type { AgentRun } from "./agent-run.ts";
import type { AgentValues } from "./agent-state.ts";
import type { Approval } from "./approval.ts";
import { askApprovals } from "./ask-human.ts";
import { type Call, callsOf } from "./tool-calls.ts";
import { callName } from "./tool-names.ts";

type Values = AgentValues & { messages: BaseMessage[] };

/**
 * Tells whether a person must approve a tool call. A call whose arguments are not valid JSON needs no approval, because it is never run.
 * The same is true for a call of a tool that the model was not offered.
 */
export const needsApproval = ({ name, broken }: Call, { _approve: approve, _offered: offered }: AgentValues): boolean =>
  broken === undefined && [approve, offered].every((names) => names.some((one) => callName(one) === name));

const waitingIn = (state: Values): Call[] => callsOf(state.messages).filter((call) => needsApproval(call, state));

/** Tells whether several calls of the last message need approval. If so, one question is asked about all of them before any call runs. */
export const hasSeveral = (state: Values): boolean => waitingIn(state).length > 1;

/** Asks a person about all calls of the last message that need approval, in one question. */
export function approve({ askTimeoutSeconds }: AgentRun, state: Values) {
  const calls = waitingIn(state);
  const approvals = askApprovals(calls, askTimeoutSeconds);
  const decisions: Record<string, Approval> = {};
  for (const [index, { id = "" }] of calls.entries()) decisions[id] = approvals[index] as Approval;
  return { _decisions: decisions };
}
