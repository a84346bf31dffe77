import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import type { Agent } from "../../agent/agent.ts";
import type { sharedContext } from "../../agent/context.ts";
import { ledgerState } from "../../agent/metrics/measured.ts";
import { appending } from "../../agent/state.ts";
import { Material, taskInput, taskState } from "../../agent/task.ts";
import { Camp, type Threshold } from "./consensus.ts";
import { Ballot, Moved, View } from "./opinion.ts";

/** An expert: an agent, which may have a veto. */
export interface Expert extends Agent {
  veto?: boolean;
}

/** The answer of an expert in the current round, or the reason why there is none. */
export const Answer = z.object({
  expert: z.string(),
  view: View.nullable(),
  error: z.string().nullable(),
  isFatal: z.boolean(),
});
export type Answer = z.infer<typeof Answer>;

const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z
    .array(item)
    .default(() => [])
    .describe(description);
const text = z.string().nullable().default(null);
const question = taskState.task.describe("Question to decide");

/** How the decision was made. `count` means that the heaviest camp won although there was no consensus. */
const DecidedBy = z.enum(["consensus", "vote", "judge", "human", "count", "veto"]);

export const State = new StateSchema({
  ...taskState,
  question,
  material: Material.default(null).describe("Material for the question"),
  ballot: Ballot,
  rules: z.unknown().describe("Context of the run. A run that resumes this one does not change it."),
  round: z.number().int().default(0).describe("Current round. The first statements are round 0."),
  answers: appending(Answer, "Answers of the present round"),
  rounds: list(z.array(View), "Views of all experts after each round. The first statements come first."),
  views: list(View, "Present view of each expert"),
  camps: list(Camp, "Experts by their views, the heaviest camp first"),
  agreement: z.number().default(0).describe("Share of the weights in the heaviest camp"),
  consensus: z.boolean().default(false).describe("Whether the agreement is a consensus and nobody blocks it"),
  blockedBy: list(z.string(), "Experts that block the decision, with their reasons"),
  stopped: z
    .enum(["consensus", "split", "stalemate", "rounds", "budget"])
    .nullable()
    .default(null)
    .describe("Why no round follows. `split`: there is no consensus and no debate."),
  decision: z.union([z.string(), z.number()]).nullable().default(null).describe("Option, value or position that was decided"),
  decidedBy: DecidedBy.nullable()
    .default(null)
    .describe("How the decision was made. `count`: for the heaviest camp. `veto`: not at all, because an expert blocks it."),
  reasoning: text.describe("Reason of the decision"),
  confidence: z.number().default(0).describe("Confidence of the decision"),
  dissent: list(View, "Views that differ from the decision"),
  agreedPoints: list(z.string(), "Points on which several experts agree"),
  disagreements: list(z.string(), "Points on which experts differ"),
  moves: list(Moved, "Experts that changed their position, and why"),
  gaps: list(z.string(), "Experts that are missing, and what else went wrong"),
  result: text.describe("The decision in words"),
  ...ledgerState,
});
export type Deliberation = typeof State.State;

const material = Material.default(null).describe("Material for the question");
export const Input = taskInput({ question, material, ballot: Ballot }, (given) => typeof given.question === "string");

type Shared = { [Key in keyof typeof sharedContext]: z.output<(typeof sharedContext)[Key]> };

/** The fields of the context that the engine reads. */
export interface DeliberationContext extends Shared {
  threshold: z.output<typeof Threshold>;
  quorum: number;
  /** The maximum number of debate rounds. A consensus ends the debate earlier. With 0, each expert answers only once. */
  rounds: number;
  named: boolean;
  /** Whether a judge, a vote or a person decides if there is no consensus. */
  ruling: "judge" | "vote" | "human";
  tieBreak?: string;
  status: boolean;
  redBlocks: boolean;
  timeoutSeconds: number;
  askTimeoutSeconds?: number | null;
  allowedHosts?: string[] | null;
}

export type Config = LangGraphRunnableConfig;

/** The values that all nodes of a deliberation share. */
export interface DeliberationSetup {
  /** The name of the pattern, as it appears in progress events. */
  pattern: string;
  /** Returns the context of a run. `rules` is the context with which the run began. */
  contextOf(state: { rules: unknown }, config: Config): DeliberationContext;
  expertsOf(state: { rules: unknown }): Expert[];
}
