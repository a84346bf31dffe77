import { HumanMessage } from "@langchain/core/messages";
import { askAnswer } from "../../agent/ask-human.ts";
import { passed } from "./speak.ts";
import { type Config, type Conversation, type ConversationSetup, participantOf } from "./state.ts";

/** Lets a person write a message. If nobody answers in time, the turn is skipped. */
export const listen = (setup: ConversationSetup) => (state: Conversation, config: Config) => {
  if (state.stop) return {}; // a caller may have ended the conversation while the person was asked
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.contextOf(state, config);
  const { name } = participantOf(setup, state);
  const last = state.messages.at(-1);
  const details = { speaker: name, last: last && { name: last.name ?? "user", text: last.text } };
  const answer = askAnswer(`${name}, it is your turn to speak.`, undefined, { details, timeoutSeconds });
  if (answer === undefined) return passed(state, `nobody answered within ${timeoutSeconds} s.`);
  return { messages: [new HumanMessage({ name, content: answer })], turns: state.turns + 1, tries: 0, problem: null, functions: [] };
};
