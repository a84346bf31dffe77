import { Overwrite } from "@langchain/langgraph";
import { beginTask } from "../../agent/task.ts";
import type { Config, Conversation, ConversationSetup } from "./state.ts";

/**
 * Begins a run. Keeps the transcript and the current speaker that earlier runs left on the thread. Resets the counters that the conditions
 * for ending the conversation read.
 */
export const begin = (setup: ConversationSetup) => (state: Conversation, config: Config) => {
  if (state.stop) throw new Error("There is nothing to stop. Send `stop` with `command.update` to a run that goes on.");
  const rules = config.context ?? {};
  const size = setup.participantsOf({ ...state, rules }).length;
  const unusual = `A conversation of ${size} participants is unusual. Three to five work best.`;
  const notes = size < 3 || size > 5 ? [unusual] : [];
  const counters = { turns: 0, tries: 0, problem: null, failures: 0, functions: [], workedMs: 0, stopReason: null, result: null };
  return { ...beginTask(state), ...counters, rules, notes, ledger: new Overwrite([]) };
};
