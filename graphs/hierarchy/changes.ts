import { acceptable } from "../supervisor/plan.ts";
import type { StepResult } from "../supervisor/state.ts";
import type { Verdict } from "./decide.ts";
import { asStep, type Objective } from "./objectives.ts";
import type { Commanded, Grant } from "./state.ts";

/** The maximum number of tries of an objective. */
const mostTries = 3;
export const mostAdditions = 3;

interface Rerun {
  id: string;
  squad?: string;
  grant?: Grant;
}

/**
 * Returns the state update for the commander's verdict. The update records the decision, with the changes that were made and those that
 * were refused.
 */
export function changesOf(state: Commanded, verdict: Verdict, mayAsk: boolean) {
  const { decision, reason, question, options } = verdict;
  const refused: string[] = [];
  const aborted = abortedBy(state, verdict, refused);
  const reruns = rerunsIn(state, verdict, refused).filter(({ id }) => !(id in aborted));
  const added = addedBy(state, verdict, refused);
  const asks = decision === "ask" && mayAsk && question !== undefined;
  if (decision === "ask" && !asks) refused.push("No further question can be asked.");
  const changes = [
    ...reruns.map(({ id, squad }) => (squad ? `${id}: reassigned to ${squad}` : `${id}: resources granted`)),
    ...added.map(({ id }) => `${id}: added`),
    ...Object.entries(aborted).map(([id, { error }]) => `${id}: ${error}`),
  ];
  const again = new Set(reruns.map(({ id }) => id));
  const objectives = [...state.objectives.map((one) => ({ ...one, squad: squadFor(one, reruns) })), ...added];
  return {
    ...{ objectives, steps: objectives.map(asStep), results: { ...aborted, ...reopened(state, reruns) } },
    again: { ...state.again, ...Object.fromEntries(reruns.map(({ id }) => [id, state.results[id]?.tries ?? 0])) },
    grants: { ...state.grants, ...Object.fromEntries(reruns.map(({ id, grant = {} }) => [id, grant])) },
    reviewed: Object.keys(state.reports).filter((id) => !again.has(id)),
    additions: state.additions + (added.length > 0 ? 1 : 0),
    finished: decision === "finish",
    question: asks ? { prompt: question, options } : null,
    decisions: [...state.decisions, { decision, reason, changes, refused }],
  };
}

const squadFor = ({ id, squad }: Objective, reruns: Rerun[]) => reruns.find((one) => one.id === id)?.squad ?? squad;

/** Returns the objectives to try again, each by another squad or with more resources. */
function rerunsIn(state: Commanded, { decision, reassign, grant }: Verdict, refused: string[]): Rerun[] {
  const wanted: Rerun[] = [
    ...reassign.map(({ id, squad }) => ({ id, squad })),
    ...grant.map(({ id, ...resources }) => ({ id, grant: resources })),
  ];
  const merged = [...Map.groupBy(wanted, ({ id }) => id).values()].map((same) => Object.assign({ id: "" }, ...same) as Rerun);
  return merged.filter(({ id, squad }) => {
    const problem = decision === "finish" ? "the commander ended the work" : whyNotAgain(state, id, squad);
    if (problem) refused.push(`${id}: not tried again, because ${problem}`);
    return problem === undefined;
  });
}

function whyNotAgain({ results, reports, squads }: Commanded, id: string, squad: string | undefined): string | undefined {
  const report = reports[id];
  if (!report || !results[id]) return "no squad has reported on it";
  if (report.status === "done") return "it is done";
  if (results[id].tries >= mostTries) return `it was tried ${mostTries} times`;
  return squad !== undefined && !(squad in squads) ? `there is no squad "${squad}"` : undefined;
}

/**
 * Returns the results of the objectives to try again. Gives them the status `failed`, because only objectives with this status are tried
 * again.
 */
function reopened({ results, reports }: Commanded, reruns: Rerun[]): Record<string, StepResult> {
  const open = reruns.flatMap(({ id }): [string, StepResult][] => {
    const result = results[id];
    return result ? [[id, { ...result, status: "failed", error: reports[id]?.summary ?? result.error }]] : [];
  });
  return Object.fromEntries(open);
}

function addedBy(state: Commanded, { decision, add }: Verdict, refused: string[]): Objective[] {
  const refuse = (why: string) => {
    refused.push(...add.map(({ id }) => `${id}: not added, because ${why}`));
    return [];
  };
  if (decision === "finish") return refuse("the commander ended the work");
  if (state.additions >= mostAdditions) return refuse(`objectives were added ${mostAdditions} times`);
  const known = state.objectives.map(({ id }) => id);
  const { accepted, refused: bad } = acceptable(add.map(asStep), Object.keys(state.squads), known);
  refused.push(...bad.map(({ text }) => text));
  return add.filter(({ id }) => accepted.some((step) => step.id === id));
}

/**
 * Returns a result for each objective that the commander aborts, and for each objective that cannot begin because it depends on one of
 * them. Adds a text to `refused` for each objective that cannot be aborted.
 */
function abortedBy({ objectives, results, reports }: Commanded, { abort }: Verdict, refused: string[]): Record<string, StepResult> {
  const reasons = new Map<string, string>();
  for (const { id, reason } of abort) {
    if (reports[id]?.status === "done" || !objectives.some((one) => one.id === id)) refused.push(`${id}: cannot be aborted`);
    else reasons.set(id, `aborted: ${reason}`);
  }
  let before: number;
  do {
    before = reasons.size;
    for (const { id, dependsOn } of objectives.filter((one) => !reasons.has(one.id) && !results[one.id])) {
      const cause = dependsOn.find((other) => reasons.has(other));
      if (cause !== undefined) reasons.set(id, `skipped, because ${cause} was aborted`);
    }
  } while (reasons.size > before);
  const skipped = (error: string): StepResult => ({ status: "skipped", work: null, error, isFatal: false, tries: 0 });
  return Object.fromEntries([...reasons].map(([id, error]) => [id, skipped(error)]));
}
