import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { tierOf } from "../../agent/context.ts";
import { report } from "../../agent/progress.ts";
import { asText } from "../../agent/prompt.ts";
import { runAgent, type Success } from "../../agent/run-agent.ts";
import { type Config, type Conversation, type ConversationSetup, type Participant, participantOf } from "./state.ts";
import { saidBy, seenBy } from "./transcript.ts";

/** How often a speaker may try. After that, the turn is passed. */
const mostTries = 2;

/** Changes that a pattern makes to a turn. */
export interface Turn {
  /** Returns the agent, with what it may do in this turn. */
  agentFor?(participant: Participant, state: Conversation): Participant;
  /** Returns the messages that the agent sees. */
  view?(participant: Participant, state: Conversation, most: number): BaseMessage[];
  /** Returns the messages that the turn adds, and other changes of the state. */
  said?(participant: Participant, outcome: Success<unknown>, state: Conversation): { messages: BaseMessage[] } & Partial<Conversation>;
  /** Sentences for the agent's instruction, such as who takes part. */
  rules?(participant: Participant, all: Participant[]): string[];
}

/** Lets the participant that has the floor say one message. Its tokens are streamed, and their metadata names the `speaker`. */
export const speak = (setup: ConversationSetup, turn: Turn) => async (state: Conversation, config: Config) => {
  const startedAt = Date.now();
  const { limits, ...context } = setup.contextOf(state, config);
  const participant = participantOf(setup, state);
  const { agentFor = (one) => one, view = (one) => seenBy(one.name, state, limits.materialTokens), said = saying } = turn;
  const errand = {
    agent: { ...agentFor(participant, state), output: undefined },
    task: `turn ${state.turns + 1}`,
    messages: view(participant, state, limits.materialTokens),
    constraints: [
      ...(turn.rules?.(participant, setup.participantsOf(state)) ?? []),
      ...(state.problem ? [`An earlier try failed: ${state.problem}`] : []),
    ],
    ...{ pattern: setup.pattern, earlier: state.ledger, quiet: false },
  };
  const named = { ...config, metadata: { ...config.metadata, speaker: participant.name } };
  const outcome = await AsyncLocalStorageProviderSingleton.runWithConfig(named, () =>
    runAgent({ ...tierOf({ ...context, limits }, "worker"), ...errand }, named),
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

/** Returns the update for a turn without a message. */
export function passed({ failures, notes }: Conversation, why: string) {
  return { tries: 0, problem: null, functions: [], failures: failures + 1, notes: [...notes, `A turn was passed, because ${why}`] };
}

function saying({ name }: Participant, { result, message }: Success<unknown>) {
  const text = asText(result);
  return { messages: text.trim() === "" ? [] : [saidBy(name, message?.text === text ? message : new AIMessage(text))] };
}

/** Returns the node that follows `speak`: the same turn again after a failed try, or the check. */
export const afterTurn = ({ tries }: Conversation) => (tries > 0 ? "speak" : "check");
