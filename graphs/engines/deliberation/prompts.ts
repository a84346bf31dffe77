import { agent } from "../../agent/agent.ts";
import type { View } from "./opinion.ts";

/**
 * The judge that compares positions and decides. The judge sees labels instead of names, because it must judge arguments and not persons.
 */
export const judge = agent({
  name: "judge",
  role: "the impartial judge of a panel",
  instructions: "Judge arguments by their weight, not by their number. Invent nothing.",
});

/** The chair of the panel. This agent writes the decision as a text for the caller. */
export const chair = agent({
  name: "chair",
  role: "the chair of a panel",
  instructions:
    "Tell the person who asked what the panel decided. Begin with the decision. Name dissent and what is missing. Invent nothing.",
});

export const prompts = {
  answer: (question: string) => `Give your opinion on: ${question}`,
  reply: (question: string, round: number) => `Round ${round} of a debate. Answer to the other positions on: ${question}`,
  group: "Group these positions by their meaning. Positions that would lead to the same action belong together.",
  rule: (question: string) => `The panel has no consensus. Decide which position holds on: ${question}`,
  report: (question: string) => `Write the decision on: ${question}`,
};

export const rules = {
  answer: ["Judge from your own field. You do not know what others think."],
  reply: [
    "Keep your position unless an argument moves you. Agreement is no aim in itself.",
    "If you amend your position or concede, name the argument that moved you.",
  ],
};

/** Returns the parts of a view that other experts may see. */
export const shown = ({ option, position, reasons, risks, conditions }: View) => ({
  ...(option !== null && { option }),
  ...{ position, reasons, risks, conditions },
});
