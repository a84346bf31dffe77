import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { tierOf } from "../../agent/context.ts";
import { report } from "../../agent/progress.ts";
import { asText } from "../../agent/prompt.ts";
import { runAgent, type Success } from "../../agent/run-agent.ts";
import { type Config, type Conversation, type ConversationSetup, type Participant, participantOf } from "./state.ts";
import { saidBy, seenBy } from "./transcript.ts";

/** The maximum number of tries of a speaker in one turn. If all of them fail, the turn is skipped. */
const mostTries = 2;

/** Hooks with which a pattern changes a turn. */
export interface Turn<State extends Conversation = Conversation, Speaker extends Participant = Participant> {
  /** Returns the participant with the tools that it has in this turn. */
  agentFor?(participant: Speaker, state: State, config: Config): Participant;
  /** Returns the messages that the agent sees. */
  view?(participant: Speaker, state: State, config: Config): BaseMessage[];
  /** Returns the messages that the turn adds, and other changes of the state. A turn without messages counts as failed. */
  said?(participant: Speaker, outcome: Success<unknown>, state: State): { messages: BaseMessage[] } & Partial<State>;
  /** Returns additional sentences for the agent's instruction, such as the list of participants. */
  rules?(participant: Speaker, all: Speaker[]): string[];
}

/** Lets the current speaker write one message. Its tokens are streamed, and their metadata has the field `speaker`. */
export const speak =
  <State extends Conversation, Speaker extends Participant>(setup: ConversationSetup<Speaker>, turn: Turn<State, Speaker>) =>
  async (state: State, config: Config) => {
    const startedAt = Date.now();
    const context = setup.contextOf(state, config);
    const participant = participantOf(setup, state);
    const { agentFor = (one) => one, said = saying } = turn;
    const errand = {
      agent: { ...agentFor(participant, state, config), output: undefined },
      task: `turn ${state.turns + 1}`,
      messages: turn.view?.(participant, state, config) ?? seenBy(participant.name, state, context.limits.materialTokens),
      constraints: [
        ...(turn.rules?.(participant, setup.participantsOf(state)) ?? []),
        ...(state.problem ? [`An earlier try failed: ${state.problem}`] : []),
      ],
      ...{ pattern: setup.pattern, earlier: state.ledger, quiet: false },
    };
    const named = { ...config, metadata: { ...config.metadata, speaker: participant.name } };
    const outcome = await AsyncLocalStorageProviderSingleton.runWithConfig(named, () =>
      runAgent({ ...tierOf(context, "worker"), ...errand }, named),
    );
    const { ledger } = outcome;
    const workedMs = state.workedMs + Date.now() - startedAt;
    const details = { speaker: participant.name, turn: state.turns + 1 };
    const update = outcome.status === "success" ? said(participant, outcome, state) : undefined;
    if (outcome.status === "success" && update && update.messages.length > 0) {
      report(config, setup.pattern, "turn", startedAt, { ...details, status: "success" });
      const functions = (outcome.added ?? []).flatMap((one) =>
        (AIMessage.isInstance(one) ? (one.tool_calls ?? []) : []).map(({ name }) => name),
      );
      return { turns: state.turns + 1, tries: 0, problem: null, functions, ...update, workedMs, ledger };
    }
    const { error, isFatal } = outcome.status === "success" ? { error: "It said nothing.", isFatal: false } : outcome;
    report(config, setup.pattern, "turn", startedAt, { ...details, status: "failed", error });
    if (!isFatal && state.tries + 1 < mostTries) return { tries: state.tries + 1, problem: error, functions: [], workedMs, ledger };
    return { ...passed(state, `${participant.name} failed: ${error}`), workedMs, ledger };
  };

/** Returns the state update for a turn that is skipped. `why` is the reason, which is added to the notes. */
export function passed({ failures, notes }: Conversation, why: string) {
  return { tries: 0, problem: null, functions: [], failures: failures + 1, notes: [...notes, `A turn was passed, because ${why}`] };
}

function saying({ name }: Participant, { result, message }: Success<unknown>) {
  const text = asText(result);
  return { messages: text.trim() === "" ? [] : [saidBy(name, message?.text === text ? message : new AIMessage(text))] };
}

/** Returns the node after `speak`. After a failed try, this is `speak` again. Otherwise, it is `check`. */
export const afterTurn = ({ tries }: Conversation) => (tries > 0 ? "speak" : "check");
