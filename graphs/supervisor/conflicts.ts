import { z } from "zod";

export const Finding = z.object({
  category: z.string().describe("Category of the finding"),
  subject: z.string().describe("Subject of the finding"),
  statement: z.string().describe("Observation"),
  recommendation: z.string().describe("Action to take"),
  confidence: z.number().min(0).max(1).describe("Confidence, 1 being certain"),
});

export type Finding = z.infer<typeof Finding>;

/** The default schema of a result, for agents without an output schema. */
export const Work = z.object({
  summary: z.string().min(1).describe("Result in a sentence or two"),
  findings: z.array(Finding).describe("Findings, one by one"),
});

/** Returns the findings in an agent's result. If the result has no valid list of findings, returns an empty list. */
export function findingsIn(work: unknown): Finding[] {
  const parsed = z.object({ findings: z.array(Finding) }).safeParse(work);
  return parsed.success ? parsed.data.findings : [];
}

/** A finding, the agent that made it, and that agent's weight. */
export const View = Finding.extend({
  agent: z.string().describe("Agent with this view"),
  weight: z.number().describe("Weight of the agent"),
});
export type View = z.infer<typeof View>;

/** The kind of a conflict: what is true, who gets a scarce resource, or which way to take. */
export const Kind = z.enum(["fact", "resource", "strategy"]);

/** A conflict: several agents recommend different things on one subject. */
export const Conflict = z.object({
  subject: z.string().describe("Subject of the conflict"),
  kind: Kind.default("fact").describe(
    "Kind of the conflict. A conflict about a resource is decided by priority, and one about a strategy by a person.",
  ),
  views: z.array(View).describe("One view of each agent"),
});
export type Conflict = z.infer<typeof Conflict>;

/** An agreement: several agents recommend the same on one subject. */
export const Agreement = z.object({
  subject: z.string().describe("Subject of the findings"),
  recommendation: z.string().describe("Recommendation on which the agents agree"),
  agents: z.array(z.string()).describe("Agents that agree"),
});
export type Agreement = z.infer<typeof Agreement>;

export const Strategy = z.enum(["confidence", "arbitration", "vote", "weighted", "human"]);
export type Strategy = z.infer<typeof Strategy>;

/** The settlement of a conflict. The losing views stay in the report. */
export const Settlement = z.object({
  subject: z.string().describe("Subject of the conflict"),
  by: z.enum([...Strategy.options, "priority"]).describe("Strategy that settled the conflict"),
  winner: View.describe("View that holds"),
  losers: z.array(View).describe("Views that do not hold"),
  reason: z.string().describe("Why the winner was chosen"),
  confidence: z.number().describe("Confidence of the decision"),
});
export type Settlement = z.infer<typeof Settlement>;

/** The judge's answer when it groups findings by their meaning. */
export const Grouping = z.object({
  groups: z.array(
    z.object({
      subject: z.string().describe("Common subject"),
      relation: z
        .enum(["contradicts", "complements", "same"])
        .describe("contradicts: not all recommendations can be followed; same: they recommend the same"),
      kind: Kind.default("fact").describe(
        "Of a contradiction. fact: what is true; resource: who gets time, money or another scarce thing; strategy: which way to take",
      ),
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
  /** Views that repeat a view of higher confidence. The report leaves them out. */
  repeated: View[];
}

/** Finds conflicts and agreements by comparing the words of subjects and recommendations. */
export function compareWords(views: View[]): Comparison {
  const groups = [...Map.groupBy(views, ({ subject }) => same(subject)).values()].map(surestOfEach);
  const agreeing = groups.filter((group) => group.length > 1 && !differ(group));
  return {
    conflicts: groups.filter(differ).map((group) => ({ subject: subjectOf(group), kind: "fact", views: group })),
    agreements: agreeing.map((group) => agreementOf(subjectOf(group), group)),
    repeated: agreeing.flatMap(allButSurest),
  };
}

/**
 * Finds conflicts and agreements among the findings that the judge has grouped. Findings that are in none of the groups are compared by
 * their words.
 */
export function compareGroups(views: View[], { groups }: z.infer<typeof Grouping>): Comparison {
  const left = new Set(views);
  const take = (numbers: number[]) => views.filter((view, number) => numbers.includes(number) && left.delete(view));
  const taken = groups.map(({ findings, ...group }) => {
    const all = take(findings);
    return { ...group, all, views: surestOfEach(all) };
  });
  const several = taken.filter(({ views }) => views.length > 1);
  const others = compareWords([...left]);
  const conflicts = several.filter(({ relation, views }) => relation === "contradicts" && differ(views));
  const agreements = several.filter(({ relation }) => relation === "same");
  return {
    conflicts: [...conflicts.map(({ subject, kind, views }) => ({ subject, kind, views })), ...others.conflicts],
    agreements: [...agreements.map(({ subject, views }) => agreementOf(subject, views)), ...others.agreements],
    repeated: [...agreements.flatMap(({ all }) => allButSurest(all)), ...others.repeated],
  };
}

/**
 * Tells whether the judge should group the findings, because comparing words is not enough. There are two such cases:
 * - Only one of several agents names a subject. The others may have used other words for it.
 * - Agents contradict each other. The judge must name the kind of the contradiction.
 */
export function needsJudge(views: View[]): boolean {
  const subjects = [...Map.groupBy(views, ({ subject }) => same(subject)).values()];
  if (agentsOf(views).length === 1) return false;
  return subjects.some((group) => differ(surestOfEach(group)) || (subjects.length > 1 && agentsOf(group).length === 1));
}

/** Returns each agent's view with the highest confidence. An agent never conflicts with itself. */
function surestOfEach(views: View[]): View[] {
  return [...Map.groupBy(views, ({ agent }) => agent).values()].map((own) => own.reduce(surer));
}

const allButSurest = (views: View[]): View[] => {
  const surest = views.reduce(surer);
  return views.filter((view) => view !== surest);
};

const surer = (one: View, other: View) => (other.confidence > one.confidence ? other : one);
const differ = (views: View[]) => new Set(views.map(recommended)).size > 1;
const subjectOf = (views: View[]) => views[0]?.subject ?? "";

function agreementOf(subject: string, views: View[]): Agreement {
  return { subject, recommendation: views.reduce(surer).recommendation, agents: agentsOf(views) };
}

/** Returns the distinct recommendations in a conflict. */
export const recommendationsOf = ({ views }: Pick<Conflict, "views">): string[] =>
  [...Map.groupBy(views, recommended).values()].flatMap(([first]) => first?.recommendation ?? []);
