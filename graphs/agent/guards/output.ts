import { CallbackManager } from "@langchain/core/callbacks/manager";
import { getConfig, type LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Agent } from "../agent.ts";
import type { AgentRun } from "../agent-run.ts";
import type { GuardedAnswer } from "../call-model.ts";
import type { LedgerEntry } from "../ledger.ts";
import { asText } from "../prompt.ts";
import { apply } from "./apply.ts";
import { checksAsides, isFinder } from "./find.ts";
import { wholeOutputGuards } from "./present.ts";

/** Tells whether the agent's tokens are withheld from clients, because guards must first check the whole answer. */
export const holdsTokens = ({ guardrails }: Agent): boolean => (guardrails?.output.length ?? 0) > 0;

/**
 * Returns the options of a model call that apply the agent's output guards, and the pattern's guards that forbid parts of a text. The
 * ledger entries of judges are added to `ledger`. The guards count the answers that they refuse, so use the options for one call only.
 */
export function outputGuards(run: AgentRun, config: LangGraphRunnableConfig, ledger: LedgerEntry[]) {
  const { agent, quiet } = run;
  const { output: own = [], maxRetries = 0 } = agent.guardrails ?? {};
  const whole = wholeOutputGuards();
  const output = [...own, ...whole.filter((guard) => typeof guard !== "function" && isFinder(guard))];
  if (output.length === 0) return whole.length > 0 ? { quiet: true, callbacks: unheard() } : { quiet };
  let refused = 0;
  const guard = async (value: unknown): Promise<GuardedAnswer> => {
    const passed = await apply({ guards: output, value, place: "output", run, config, ledger });
    if (!("value" in passed)) return { problem: passed.advice, reason: passed.reason, isFinal: !passed.mayRetry || ++refused > maxRetries };
    if (!passed.isChanged) return { result: value };
    const read = agent.output?.safeParse(passed.value);
    if (read && !read.success) return { problem: "", reason: "The replaced answer does not fit the agent's schema.", isFinal: true };
    return { result: passed.value, isChanged: true };
  };
  const asides = output.filter(checksAsides);
  const guardThought = async (text: string): Promise<string> => {
    const passed = await apply({ guards: asides, value: text, place: "thought", run, config, ledger });
    return "value" in passed ? asText(passed.value) : "";
  };
  return { quiet: true, guard, ...(asides.length > 0 && { guardThought }), callbacks: unheard() };
}

/** The callback handlers that pass tokens and raw answers on to clients, by name. */
const telling = ["StreamMessagesHandler", "StreamProtocolMessagesHandler", "event_stream_tracer", "log_stream_tracer"];

/** Returns the callbacks of the current node, without the handlers that would show the raw answer to a client. */
function unheard(): CallbackManager | undefined {
  const { callbacks } = getConfig() ?? {};
  if (!(callbacks instanceof CallbackManager)) return undefined;
  const copy = callbacks.copy();
  for (const handler of copy.handlers.filter(({ name }) => telling.includes(name))) copy.removeHandler(handler);
  return copy;
}
