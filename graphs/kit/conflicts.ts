import { z } from "zod";
import { type AskTimeout, askAnswer } from "./ask-human.ts";

export const Finding = z.object({
  category: z.string().describe("What kind of finding it is"),
  subject: z.string().describe("What it is about"),
  statement: z.string().describe("What was found"),
  recommendation: z.string().describe("What should be done about it"),
  confidence: z.number().min(0).max(1).describe("How sure it is, 1 being certain"),
});

export type Finding = z.infer<typeof Finding>;

/** A finding and the agent that made it. */
export const View = Finding.extend({
  agent: z.string().describe("Whose view it is"),
  weight: z.number().describe("How much that agent's word counts"),
});
export type View = z.infer<typeof View>;

/** Several views of one subject with different recommendations. */
export interface Conflict {
  subject: string;
  views: View[];
}

export const Strategy = z.enum(["confidence", "arbitration", "vote", "weighted", "human"]);
export type Strategy = z.infer<typeof Strategy>;

/** The resolution of a conflict. The losing views stay in the report. */
export const Settlement = z.object({
  subject: z.string().describe("Subject of the conflict"),
  by: Strategy.describe("Strategy that settled it"),
  winner: View.describe("View that holds"),
  losers: z.array(View).describe("Views that do not hold"),
  reason: z.string().describe("Reason of the decision"),
});

export type Settlement = z.infer<typeof Settlement>;

const same = (text: string) => text.trim().toLowerCase();

export function findConflicts(views: View[]): Conflict[] {
  const bySubject = Map.groupBy(views, ({ subject }) => same(subject));
  return [...bySubject.values()]
    .filter((group) => new Set(group.map(({ recommendation }) => same(recommendation))).size > 1)
    .map((group) => ({ subject: group[0]?.subject ?? "", views: group }));
}

/** Settles a conflict by counting. Returns undefined on a tie, which needs another strategy. */
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

/** Settles a conflict by a choice among the recommendations. */
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

/** The options for settling conflicts. */
export interface Settling {
  strategy: Strategy;
  arbitrate: (conflict: Conflict) => Promise<{ winner: string; reason: string }>;
  /** The time limit for a person's answer to each conflict. */
  askTimeoutSeconds?: AskTimeout;
}

/** Settles all conflicts one after another. */
export async function settleAll(conflicts: Conflict[], settling: Settling): Promise<Settlement[]> {
  const settlements: Settlement[] = [];
  for (const conflict of conflicts) {
    const settled = await settle(conflict, settling);
    if (settled) settlements.push(settled);
  }
  return settlements;
}

/** Settles one conflict. The judge decides a tied vote, and confidence decides when a person gives no answer. */
async function settle(conflict: Conflict, { strategy, arbitrate, askTimeoutSeconds = null }: Settling): Promise<Settlement | undefined> {
  if (strategy === "human") {
    const choice = askPerson(conflict, askTimeoutSeconds);
    return choice === undefined
      ? settle(conflict, { strategy: "confidence", arbitrate })
      : settleByChoice(conflict, "human", choice, "A person decided.");
  }
  const counted = strategy === "arbitration" ? undefined : settleByCount(conflict, strategy);
  if (counted) return counted;
  const { winner, reason } = await arbitrate(conflict);
  return settleByChoice(conflict, "arbitration", winner, reason);
}

function askPerson(conflict: Conflict, timeoutSeconds: AskTimeout): string | undefined {
  const prompt = `What should be done about "${conflict.subject}"?`;
  return askAnswer(prompt, recommendationsOf(conflict), { details: conflict.views, timeoutSeconds });
}
