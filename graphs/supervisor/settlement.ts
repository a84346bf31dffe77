import { type Conflict, type Settlement, Strategy, type View } from "./conflicts.ts";

const { confidence, vote, weighted } = Strategy.enum;
export type Count = typeof confidence | typeof vote | typeof weighted | "priority";

/**
 * Settles a conflict by the highest confidence, by the number of votes, by the sum of weights, or by the highest weight (`priority`).
 * Returns undefined on a tie, so that the judge decides. Also returns undefined for a vote if the number of votes is even.
 */
export function settleByCount({ subject, views }: Conflict, by: Count): Settlement | undefined {
  if (by === vote && views.length % 2 === 0) return undefined;
  const weight = (view: View) => view.weight;
  const worth = { confidence: (view: View) => view.confidence, vote: () => 1, weighted: weight, priority: weight }[by];
  const camps = [...Map.groupBy(views, campOf).values()].map((camp) => ({
    camp,
    score: by === confidence || by === "priority" ? Math.max(...camp.map(worth)) : camp.reduce((sum, view) => sum + worth(view), 0),
  }));
  const [first, second] = camps.toSorted((a, b) => b.score - a.score);
  if (!first || first.score === second?.score) return undefined;
  const winner = first.camp.reduce((best, view) => (view.confidence > best.confidence ? view : best));
  const reason = `${by}: ${first.score} against ${second?.score ?? 0}`;
  return { subject, by, winner, losers: losersTo(winner, views), reason, confidence: winner.confidence };
}

interface Choice {
  recommendation: string;
  reason: string;
  confidence: number;
}

/** Settles a conflict with the recommendation that the judge or a person has chosen. */
export function settleByChoice(
  { subject, views }: Conflict,
  by: "arbitration" | "human",
  { recommendation, reason, confidence }: Choice,
): Settlement | undefined {
  const winner = views.find((view) => campOf(view) === recommendation.trim().toLowerCase());
  return winner && { subject, by, winner, losers: losersTo(winner, views), reason, confidence };
}

const campOf = ({ recommendation }: View) => recommendation.trim().toLowerCase();
const losersTo = (winner: View, views: View[]) => views.filter((view) => campOf(view) !== campOf(winner));
