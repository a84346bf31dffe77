import { z } from "zod";
import { askAnswer } from "../../agent/ask-human.ts";
import { tierOf } from "../../agent/context.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { taskOf } from "../../agent/task.ts";
import { type Camp, isTie, labelOf, voteOn } from "./consensus.ts";
import type { View } from "./opinion.ts";
import { judge, prompts } from "./prompts.ts";
import type { Config, Deliberation, DeliberationSetup } from "./state.ts";

const noDecision = "no decision";

/** Returns the position and all arguments of a camp. The result does not reveal which experts are in the camp, or how many. */
function positionOf({ option, experts }: Camp, views: View[]) {
  const arguing = views.filter(({ expert }) => experts.includes(expert));
  const all = (key: "reasons" | "risks" | "conditions") => [...new Set(arguing.flatMap((view) => view[key]))];
  return { option, reasons: all("reasons"), risks: all("risks"), conditions: all("conditions") };
}

/** Decides by a vote or by the judge if there is no consensus. The judge also decides a vote that ends in a tie. */
export const decide = (setup: DeliberationSetup) => async (state: Deliberation, config: Config) => {
  const { ruling, tieBreak } = setup.contextOf(state, config);
  if (state.blockedBy.length > 0) return { decidedBy: "veto" as const, reasoning: state.blockedBy.join("; ") };
  const voted = ruling === "vote" ? voteOn(state.camps, tieBreak) : undefined;
  if (!voted) return arbitrate(setup, state, config);
  const reasoning = `${voted.experts.length} of ${state.views.length} experts voted for it.`;
  return { decision: voted.option, decidedBy: "vote" as const, reasoning, confidence: voted.confidence };
};

/**
 * Lets the judge decide. For each position, the judge sees a letter and the arguments. It sees neither the names nor the number of the
 * experts who hold the position.
 */
async function arbitrate(setup: DeliberationSetup, state: Deliberation, config: Config) {
  const startedAt = Date.now();
  const { camps, views, gaps, material } = state;
  const context = setup.contextOf(state, config);
  // sorted by option, because the camps are sorted by weight, and the judge must not know which camp is the heaviest
  const mixed = camps.toSorted((a, b) => (String(a.option) < String(b.option) ? -1 : 1));
  const labels = mixed.map((_, index) => labelOf(index));
  const positions = mixed.map((camp, index) => ({ label: labelOf(index), ...positionOf(camp, views) }));
  const output = z.object({
    winner: z.enum(labels).describe("Label of the position that holds"),
    reasoning: z.string().describe("Why it holds"),
    confidence: z.number().min(0).max(1).describe("How sure you are, 1 being certain"),
  });
  const errand = {
    agent: { ...judge, output, timeoutSeconds: context.timeoutSeconds },
    task: prompts.rule(taskOf(state)),
    input: {
      ...(material !== null && { material }),
      positions: positions.toSorted((a, b) => (String(a.option) < String(b.option) ? -1 : 1)),
    },
    ...{ pattern: setup.pattern, earlier: state.ledger },
  };
  const outcome = await runAgent<z.output<typeof output>>({ ...tierOf(context, "judge"), ...errand }, config);
  const { ledger } = outcome;
  report(config, setup.pattern, "ruling", startedAt, { status: outcome.status });
  if (outcome.status !== "success") return { ...counted(state), gaps: [...gaps, `The judge gave no ruling: ${outcome.error}`], ledger };
  const { winner, reasoning, confidence } = outcome.result;
  return { decision: mixed[labels.indexOf(winner)]?.option ?? null, decidedBy: "judge" as const, reasoning, confidence, ledger };
}

/** Asks a person to decide. This node calls no model, because the answer makes it run again from its beginning. */
export const askPerson = (setup: DeliberationSetup) => (state: Deliberation, config: Config) => {
  const { camps, views, ballot, blockedBy, gaps } = state;
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.contextOf(state, config);
  const positions = [...camps.map(({ option }) => option), ...(ballot.options ?? [])];
  const options = [...new Set(positions.map(String)), noDecision];
  const details = { camps, views, blockedBy };
  const why = blockedBy.length > 0 ? `Blocked by ${blockedBy.join("; ")}.` : "There is no consensus.";
  const answer = askAnswer(`${why} What is decided on "${state.task}"`, options, { details, timeoutSeconds });
  const chosen = positions.find((option) => String(option) === answer);
  if (chosen !== undefined) return { decision: chosen, decidedBy: "human" as const, reasoning: "A person decided.", confidence: 1 };
  if (answer === noDecision) return { decidedBy: "human" as const, reasoning: "A person decided nothing." };
  return { ...counted(state), gaps: [...gaps, `Nobody answered within ${timeoutSeconds} s.`] };
};

/**
 * Returns the position of the heaviest camp as the decision. There is no decision if the heaviest camps are tied or an expert blocks the
 * decision.
 */
function counted({ camps, blockedBy }: Deliberation) {
  const [first] = camps;
  if (blockedBy.length > 0) return { decidedBy: "veto" as const };
  return first && !isTie(camps) ? { decision: first.option, decidedBy: "count" as const, confidence: first.confidence } : {};
}
