import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentRun } from "../agent-run.ts";
import type { LedgerEntry } from "../ledger.ts";
import { asText } from "../prompt.ts";
import { apply } from "./apply.ts";
import type { AnyGuard } from "./in-code.ts";

/** The error of an agent whose input did not pass a guard. The agent has called no model. */
export class GuardrailTripped extends Error {
  override name = "GuardrailTripped";
}

interface GuardedInput {
  /** The conversation, in which guards may have replaced messages. */
  messages: BaseMessage[];
  /** The new messages that guards put in the place of original messages. Each has the id of its original. */
  replaced: BaseMessage[];
  ledger: LedgerEntry[];
}

/** Applies the input guards to the messages of people. Throws if a message does not pass. */
export async function guardInput(run: AgentRun, given: BaseMessage[], config: LangGraphRunnableConfig): Promise<GuardedInput> {
  const guards = run.agent.guardrails?.input ?? [];
  const ledger: LedgerEntry[] = [];
  if (guards.length === 0) return { messages: given, replaced: [], ledger };
  const last = given.findLastIndex((message) => HumanMessage.isInstance(message));
  const messages: BaseMessage[] = [];
  for (const [index, message] of given.entries()) {
    const applied = HumanMessage.isInstance(message) ? guards.filter((guard) => index === last || isForAll(guard)) : [];
    const passed = await apply({ guards: applied, value: message.text, place: "input", run, config, ledger });
    if (!("value" in passed)) throw Object.assign(new GuardrailTripped(passed.reason), ledger.length > 0 && { ledger });
    messages.push(passed.isChanged ? new HumanMessage({ id: message.id, content: asText(passed.value) }) : message);
  }
  return { messages, replaced: messages.filter((message, index) => message !== given[index]), ledger };
}

/** Tells whether a guard checks every message of a person. Any other guard checks only the last message. */
const isForAll = (guard: AnyGuard) => typeof guard === "function" || ["pii", "secrets", "regex", "function"].includes(guard.kind);
