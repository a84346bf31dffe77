import { z } from "zod";
import { closed } from "../../agent/closed.ts";
import { findToolProblems } from "../../agent/guards/schema.ts";
import { AgentData } from "../../agent/schema.ts";

/** The schema of an expert that a caller defines in the context of a run. */
export const Expert = closed(
  {
    ...AgentData.shape,
    veto: z.boolean().default(false).describe("Whether the expert may block every decision"),
  },
  findToolProblems,
);

/** The form of the vote: options to choose from, or a number on a scale. Without a ballot, a judge compares positions by their meaning. */
export const Ballot = closed(
  {
    options: z.array(z.string().trim().min(1)).min(2).max(20).optional().describe("Options, of which each expert chooses one"),
    scale: closed({
      min: z.number().describe("Lowest value"),
      max: z.number().describe("Highest value"),
    })
      .optional()
      .describe("Numbers, of which each expert gives one"),
  },
  (given) => {
    const { options, scale } = given as { options?: unknown; scale?: { min: number; max: number } };
    if (options !== undefined && scale !== undefined) return [{ path: [], message: "give options or a scale, not both" }];
    return scale && !(scale.min < scale.max) ? [{ path: ["scale"], message: "min must be below max" }] : [];
  },
)
  .prefault({})
  .describe("Form of the vote. Without one, a judge compares positions by their meaning.");
export type Ballot = z.infer<typeof Ballot>;

const Status = z.enum(["green", "yellow", "red"]);
const Move = z.enum(["keep", "amend", "concede"]);
const points = (description: string) => z.array(z.string()).default([]).describe(description);

interface Form {
  ballot: Ballot;
  mayVeto: boolean;
  /** Whether each expert also gives a status (green, yellow or red) for its area of work. */
  status: boolean;
  /** Whether the expert responds to the positions of other experts. */
  isReply: boolean;
}

/** Returns the schema of an expert's answer. */
export function opinionFor({ ballot: { options, scale }, mayVeto, status, isReply }: Form) {
  const opinion = z.object({
    position: z.string().min(1).describe("Your position in one or two sentences"),
    ...(options && { option: z.enum(options).describe("The option that you choose") }),
    ...(scale && { option: z.number().min(scale.min).max(scale.max).describe("Your value on the scale") }),
    confidence: z.number().min(0).max(1).describe("How sure you are, 1 being certain"),
    reasons: points("Why, one by one"),
    risks: points("Risks that you see"),
    conditions: points("Conditions under which your position holds"),
    ...(status && { status: Status.describe("State of your field: green, yellow or red") }),
    ...(mayVeto && { veto: z.string().nullable().default(null).describe("Why the decision must be blocked. Null if it need not.") }),
    ...(isReply && {
      move: Move.describe("Whether you keep your position, amend it, or concede to another"),
      because: z.string().default("").describe("The argument that moved you. Empty if you keep your position."),
    }),
  });
  const isReasoned = (answer: object) => !("move" in answer && answer.move !== "keep" && !("because" in answer && answer.because));
  return opinion.refine(isReasoned, { path: ["because"], message: "say which argument moved you" });
}

/** The opinion of an expert after a round, with the expert's name and weight. */
export const View = z.object({
  expert: z.string().describe("Name of the expert"),
  weight: z.number().describe("Weight of the expert"),
  option: z.union([z.string(), z.number()]).nullable().default(null).describe("Chosen option or value. Null without a ballot."),
  position: z.string().describe("Position of the expert"),
  confidence: z.number().describe("Confidence of the expert"),
  reasons: z.array(z.string()).describe("Reasons of the expert"),
  risks: z.array(z.string()).describe("Risks that the expert sees"),
  conditions: z.array(z.string()).describe("Conditions of the expert"),
  status: Status.optional().describe("State of the expert's field"),
  veto: z.string().nullable().default(null).describe("Why the expert blocks the decision. Null if it does not."),
  move: Move.optional().describe("Whether the expert kept, amended or conceded its position in this round"),
  because: z.string().optional().describe("The argument that changed the expert's position"),
  stale: z.literal(true).optional().describe("Whether this is an earlier view, because the expert failed in this round"),
});
export type View = z.infer<typeof View>;

/** The record of an expert that changed its position in a debate. */
export const Moved = z.object({
  round: z.number().int().describe("Round, from 1"),
  expert: z.string().describe("Expert that changed its position"),
  move: Move.describe("How the expert changed its position"),
  from: z.string().describe("Position before"),
  to: z.string().describe("Position after"),
  because: z.string().describe("The argument that changed the position"),
});

/** Returns every change of position. `rounds` has the views after each round. */
export function movesIn(rounds: View[][]): z.infer<typeof Moved>[] {
  return rounds.flatMap((views, round) =>
    views
      .filter(({ move, stale }) => round > 0 && !stale && move !== undefined && move !== "keep")
      .map(({ expert, move = "amend", because = "", ...view }) => {
        const before = rounds[round - 1]?.find((one) => one.expert === expert);
        return { round, expert, move, from: nameOf(before), to: nameOf(view), because };
      }),
  );
}

const nameOf = (view: Pick<View, "option" | "position"> | undefined) => String(view?.option ?? view?.position ?? "");
