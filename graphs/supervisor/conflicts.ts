import { z } from "zod";

export const Finding = z.object({
  category: z.string().describe("Category of the finding"),
  subject: z.string().describe("Subject of the finding"),
  statement: z.string().describe("Observation"),
  recommendation: z.string().describe("Action to take"),
  confidence: z.number().min(0).max(1).describe("Confidence, 1 being certain"),
});

export type Finding = z.infer<typeof Finding>;

/** The result of an agent without a schema of its own. */
export const Work = z.object({
  summary: z.string().min(1).describe("Result in a sentence or two"),
  findings: z.array(Finding).describe("Findings, one by one"),
});

/** Returns the findings of a result. The result of an agent with a schema of its own may have none. */
export function findingsIn(work: unknown): Finding[] {
  const parsed = z.object({ findings: z.array(Finding) }).safeParse(work);
  return parsed.success ? parsed.data.findings : [];
}

/** A finding and the agent that made it. */
export const View = Finding.extend({
  agent: z.string().describe("Agent with this view"),
  weight: z.number().describe("Weight of the agent"),
});
export type View = z.infer<typeof View>;

/** Views of several agents on one subject with different recommendations. */
export const Conflict = z.object({
  subject: z.string().describe("Subject of the conflict"),
  views: z.array(View).describe("One view of each agent"),
});
export type Conflict = z.infer<typeof Conflict>;

/** A subject on which several agents recommend the same. */
export const Agreement = z.object({
  subject: z.string().describe("Subject of the findings"),
  recommendation: z.string().describe("Recommendation on which the agents agree"),
  agents: z.array(z.string()).describe("Agents that agree"),
});
export type Agreement = z.infer<typeof Agreement>;

export const Strategy = z.enum(["confidence", "arbitration", "vote", "weighted", "human"]);
export type Strategy = z.infer<typeof Strategy>;

/** The resolution of a conflict. The losing views stay in the report. */
export const Settlement = z.object({
  subject: z.string().describe("Subject of the conflict"),
  by: Strategy.describe("Strategy that settled it"),
  winner: View.describe("View that holds"),
  losers: z.array(View).describe("Views that do not hold"),
  reason: z.string().describe("Reason of the decision"),
  confidence: z.number().describe("Confidence of the decision"),
});
export type Settlement = z.infer<typeof Settlement>;

/** The answer of the judge that compares findings by their meaning. */
export const Grouping = z.object({
  groups: z.array(
    z.object({
      subject: z.string().describe("Common subject"),
      relation: z
        .enum(["contradicts", "complements", "same"])
        .describe("contradicts: not all recommendations can be followed; same: they recommend the same"),
      findings: z.array(z.number().int()).describe("Numbers of the findings"),
    }),
  ),
});

const same = (text: string) => text.trim().toLowerCase();
const recommended = ({ recommendation }: View) => same(recommendation);
const agentsOf = (views: View[]) => [...new Set(views.map(({ agent }) => agent))];

export interface Comparison {
  conflicts: Conflict[];
  agreements: Agreement[];
}

/** Compares findings by the words of their subjects and recommendations. */
export function compareWords(views: View[]): Comparison {
  const groups = [...Map.groupBy(views, ({ subject }) => same(subject)).values()].map(surestOfEach);
  return {
    conflicts: groups.filter(differ).map((group) => ({ subject: subjectOf(group), views: group })),
    agreements: groups.filter((group) => group.length > 1 && !differ(group)).map((group) => agreementOf(subjectOf(group), group)),
  };
}

/** Compares findings as the judge groups them. Findings outside of its groups are compared by their words. */
export function compareGroups(views: View[], { groups }: z.infer<typeof Grouping>): Comparison {
  const left = new Set(views);
  const take = (numbers: number[]) => views.filter((view, number) => numbers.includes(number) && left.delete(view));
  const taken = groups.map(({ subject, relation, findings }) => ({ subject, relation, views: surestOfEach(take(findings)) }));
  const several = taken.filter(({ views }) => views.length > 1);
  const others = compareWords([...left]);
  const conflicts = several.filter(({ relation, views }) => relation === "contradicts" && differ(views));
  const agreements = several.filter(({ relation }) => relation === "same");
  return {
    conflicts: [...conflicts.map(({ subject, views }) => ({ subject, views })), ...others.conflicts],
    agreements: [...agreements.map(({ subject, views }) => agreementOf(subject, views)), ...others.agreements],
  };
}

/** Tells whether words may hide that findings belong together: several agents, and a subject that only one of them names. */
export function needsJudge(views: View[]): boolean {
  const subjects = [...Map.groupBy(views, ({ subject }) => same(subject)).values()];
  return subjects.length > 1 && agentsOf(views).length > 1 && subjects.some((group) => agentsOf(group).length === 1);
}

/** Returns one view of each agent, because an agent never conflicts with itself. */
function surestOfEach(views: View[]): View[] {
  return [...Map.groupBy(views, ({ agent }) => agent).values()].map((own) => own.reduce(surer));
}

const surer = (one: View, other: View) => (other.confidence > one.confidence ? other : one);
const differ = (views: View[]) => new Set(views.map(recommended)).size > 1;
const subjectOf = (views: View[]) => views[0]?.subject ?? "";

function agreementOf(subject: string, views: View[]): Agreement {
  return { subject, recommendation: views.reduce(surer).recommendation, agents: agentsOf(views) };
}

/** Returns the recommendations of some views, each once. */
export const recommendationsOf = ({ views }: Pick<Conflict, "views">): string[] =>
  [...Map.groupBy(views, recommended).values()].flatMap(([first]) => first?.recommendation ?? []);
