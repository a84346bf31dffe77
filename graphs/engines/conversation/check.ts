import { agent } from "../../agent/agent.ts";
import { tierOf } from "../../agent/context.ts";
import { enforceBudget, spentIn } from "../../agent/ledger.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { heldBy } from "../termination.ts";
import type { Config, Conversation, ConversationSetup } from "./state.ts";
import { asTranscript, isSaid, leaving } from "./transcript.ts";

const memory = agent({
  name: "memory",
  role: "the keeper of a conversation's minutes",
  instructions: "Fold the new messages into the summary. Keep names, numbers, decisions and open questions. Answer with the summary only.",
});

/** Decides after each turn whether the conversation ends. Merges the oldest messages into a summary if there are many. */
export const check = (setup: ConversationSetup) => async (state: Conversation, config: Config) => {
  const context = setup.contextOf(state, config);
  const stopReason = reasonToStop(setup, state, config);
  if (stopReason !== undefined) return { stopReason };
  enforceBudget(state.ledger, context.budget);
  const old = leaving(state);
  if (old.length === 0) return {};
  const input = { summary: state.summary || "(none)", messages: asTranscript(old) };
  const errand = { agent: memory, task: "Write the new summary.", input, pattern: setup.pattern, earlier: state.ledger };
  const outcome = await runAgent({ ...tierOf(context, "worker"), ...errand }, config);
  const { ledger } = outcome;
  return outcome.status === "success" ? { summary: String(outcome.result), folded: state.folded + old.length, ledger } : { ledger };
};

function reasonToStop(setup: ConversationSetup, state: Conversation, config: Config): string | undefined {
  const { termination, limits } = setup.contextOf(state, config);
  const { messages, speaker, turns, functions, workedMs, failures, stop, stopReason } = state;
  const message = turns > 0 ? messages.findLast(isSaid) : undefined;
  const facts = {
    ...(message && { last: { speaker: message.name ?? "", text: message.text, functions } }),
    ...{ messages: turns, tokens: spentIn(state.ledger).tokens, seconds: workedMs / 1000, stop },
    ...(speaker !== null && { handoffTo: speaker }),
  };
  const held = stopReason ?? heldBy(termination, facts);
  if (held !== undefined) return held;
  const decided = message && setup.until?.({ messages, speaker, turns });
  if (decided) return decided === true ? "until" : decided;
  return failures >= limits.failures ? "failures" : undefined;
}

/** Ends the run with the last message as its result. The run fails if no participant said anything. */
export function conclude({ messages, turns, notes, ledger }: Conversation) {
  if (turns === 0) throw new Error(`No participant said anything. ${notes.join(" ")}`);
  return { result: messages.findLast(isSaid)?.text ?? null, usage: spentIn(ledger) };
}
