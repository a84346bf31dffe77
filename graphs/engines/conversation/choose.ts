import { z } from "zod";
import { agent } from "../../agent/agent.ts";
import { closed } from "../../agent/closed.ts";
import { tierOf } from "../../agent/context.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { taskOf } from "../../agent/task.ts";
import type { Config, Conversation, ConversationContext, ConversationSetup, Participant } from "./state.ts";
import { asTranscript, present } from "./transcript.ts";

const chooser = agent({ name: "selector", role: "the moderator of a conversation" });

export const Selector = closed({
  model: z.string().min(1).optional().describe("Model that chooses. Default: `models.judge`."),
  instructions: z
    .string()
    .default("Choose who should speak next, so that the task is done soon and well.")
    .describe("How the model chooses"),
  allowRepeated: z.boolean().default(false).describe("Whether a participant may speak twice in a row"),
  candidates: z
    .record(z.string(), z.array(z.string()).min(1))
    .default({})
    .describe("For each participant, those who may speak after it. Default: everybody."),
  maxAttempts: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(3)
    .describe("Number of wrong answers after which the next participant in the list speaks"),
})
  .prefault({})
  .describe("Settings of the model that chooses the speaker");

export const Speakers = z.enum(["round_robin", "selector"]).default("round_robin").describe("Speak in turn, or let a model choose");

type Choosing = ConversationContext & { speakers: z.output<typeof Speakers>; selector: z.output<typeof Selector> };
type Choice = (conversation: Pick<Conversation, "messages" | "speaker" | "turns">) => string | undefined;

/**
 * Selects the next speaker. `choice` is the pattern's own function, if it has one. If it does not return a participant's name, the context
 * field `speakers` decides. The next speaker then follows from the order of the list, or a model selects it.
 */
export const choose = (setup: ConversationSetup, choice: Choice | undefined) => async (state: Conversation, config: Config) => {
  const { messages, speaker, turns } = state;
  const all = setup.participantsOf(state);
  const chosen = choice?.({ messages, speaker, turns });
  if (chosen !== undefined && all.some(({ name }) => name === chosen)) return { speaker: chosen };
  const { speakers, selector } = setup.contextOf(state, config) as Choosing;
  if (speakers === "round_robin") return { speaker: nextInOrder(all, speaker) };
  const allowed = selector.candidates[speaker ?? ""] ?? all.map(({ name }) => name);
  const candidates = all.filter(({ name }) => allowed.includes(name) && (selector.allowRepeated || name !== speaker));
  const [first, ...others] = candidates;
  if (!first || others.length === 0) return { speaker: first?.name ?? nextInOrder(all, speaker) };
  return ask(setup, candidates, state, config);
};

/**
 * Lets the model choose one of the candidates. If the model answers with a wrong name, the model is asked again and told about the mistake.
 */
async function ask(setup: ConversationSetup, candidates: Participant[], state: Conversation, config: Config) {
  const startedAt = Date.now();
  const { selector, ...context } = setup.contextOf(state, config) as Choosing;
  const { model, instructions, maxAttempts } = selector;
  const output = z.object({ next: z.enum(candidates.map(({ name }) => name)).describe("Name of the next speaker") });
  const errand = {
    agent: { ...chooser, model, instructions, output, retries: maxAttempts - 1 },
    task: `Who speaks next? The task of the conversation is: ${taskOf(state)}`,
    input: {
      candidates: candidates.map(({ name, role, description }) => ({ name, role, description })),
      conversation: asTranscript(present(state)),
    },
    ...{ pattern: setup.pattern, earlier: state.ledger },
  };
  const outcome = await runAgent<z.output<typeof output>>({ ...tierOf(context, "judge"), ...errand }, config);
  const isChosen = outcome.status === "success";
  const speaker = isChosen ? outcome.result.next : nextInOrder(setup.participantsOf(state), state.speaker);
  const notes = isChosen ? [] : [`The selector chose nobody (${outcome.error}), so the next in the order spoke.`];
  report(config, setup.pattern, "choose", startedAt, { speaker, byModel: isChosen });
  const { ledger } = outcome;
  return { speaker, notes: [...state.notes, ...notes], workedMs: state.workedMs + Date.now() - startedAt, ledger };
}

/** Returns the participant that comes after the last speaker in the list of participants. */
function nextInOrder(all: Participant[], last: string | null): string {
  const index = all.findIndex(({ name }) => name === last);
  return all[(index + 1) % all.length]?.name ?? "";
}
