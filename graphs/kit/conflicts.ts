import { interrupt } from "@langchain/langgraph";
import { z } from "zod";

export const Finding = z.object({
  category: z.string().describe("What kind of finding it is"),
  subject: z.string().describe("What it is about"),
  statement: z.string().describe("What was found"),
  recommendation: z.string().describe("What should be done about it"),
  confidence: z.number().min(0).max(1).describe("How sure it is, 1 being certain"),
});

export type Finding = z.infer<typeof Finding>;

/** A finding, and who made it. */
export const View = Finding.extend({
  agent: z.string().describe("Whose view it is"),
  weight: z.number().describe("How much that agent's word counts"),
});
export type View = z.infer<typeof View>;

/** Several views of one subject that recommend different things. */
export interface Conflict {
  subject: string;
  views: View[];
}

export const Strategy = z.enum(["confidence", "arbitration", "vote", "weighted", "human"]);
export type Strategy = z.infer<typeof Strategy>;

/** How a conflict was settled. The losing views stay in the report. */
export const Settlement = z.object({
  subject: z.string().describe("What the views disagree about"),
  by: Strategy.describe("How it was settled"),
  winner: View.describe("The view that holds"),
  losers: z.array(View).describe("The views that do not"),
  reason: z.string().describe("Why it was settled so"),
});

export type Settlement = z.infer<typeof Settlement>;

const same = (text: string) => text.trim().toLowerCase();

export function findConflicts(views: View[]): Conflict[] {
  const bySubject = Map.groupBy(views, ({ subject }) => same(subject));
  return [...bySubject.values()]
    .filter((group) => new Set(group.map(({ recommendation }) => same(recommendation))).size > 1)
    .map((group) => ({ subject: group[0]?.subject ?? "", views: group }));
}

/** Settles a conflict by counting; undefined when the count does not tell: a vote that is even has to be settled otherwise. */
export function settleByCount({ subject, views }: Conflict, by: "confidence" | "vote" | "weighted"): Settlement | undefined {
  const worth = { confidence: ({ confidence }: View) => confidence, vote: () => 1, weighted: ({ weight }: View) => weight }[by];
  const camps = [...Map.groupBy(views, ({ recommendation }) => same(recommendation)).values()].map((camp) => ({
    camp,
    score: by === "confidence" ? Math.max(...camp.map(worth)) : camp.reduce((sum, view) => sum + worth(view), 0),
  }));
  camps.sort((a, b) => b.score - a.score);
  const [first, second] = camps;
  if (!first || (second && second.score === first.score)) return undefined;
  const winner = first.camp.reduce((best, view) => (view.confidence > best.confidence ? view : best));
  const losers = views.filter((view) => same(view.recommendation) !== same(winner.recommendation));
  return { subject, by, winner, losers, reason: `${by}: ${first.score} against ${second?.score ?? 0}` };
}

/** Settles a conflict by somebody's choice among the recommendations. */
export function settleByChoice(
  { subject, views }: Conflict,
  by: "arbitration" | "human",
  recommendation: string,
  reason: string,
): Settlement | undefined {
  const winner = views.find((view) => same(view.recommendation) === same(recommendation));
  if (!winner) return undefined;
  return { subject, by, winner, losers: views.filter((view) => same(view.recommendation) !== same(recommendation)), reason };
}

export const recommendationsOf = ({ views }: Conflict) => [...new Set(views.map(({ recommendation }) => recommendation))];

/** Settles every conflict. What a count leaves open is for the judge, whose ruling is asked for. */
export async function settleAll(
  conflicts: Conflict[],
  strategy: Strategy,
  arbitrate: (conflict: Conflict) => Promise<{ winner: string; reason: string }>,
): Promise<Settlement[]> {
  const settlements: (Settlement | undefined)[] = [];
  for (const conflict of conflicts) {
    const counted = strategy === "arbitration" || strategy === "human" ? undefined : settleByCount(conflict, strategy);
    if (counted) settlements.push(counted);
    else if (strategy === "human") settlements.push(settleByChoice(conflict, "human", askPerson(conflict), "A person decided."));
    else {
      const { winner, reason } = await arbitrate(conflict);
      settlements.push(settleByChoice(conflict, "arbitration", winner, reason));
    }
  }
  return settlements.filter((settlement) => settlement !== undefined);
}

function askPerson(conflict: Conflict): string {
  const options = recommendationsOf(conflict);
  const prompt = `What should be done about "${conflict.subject}"?`;
  return interrupt({ type: "selection", prompt, options, details: conflict.views }, { responseSchema: z.enum(options) });
}
