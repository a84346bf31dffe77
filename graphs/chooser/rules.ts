import type { FactName, Facts } from "./facts.ts";

/** A question about a task, and the pattern to take if the answer is yes. */
interface Rule {
  question: string;
  /** The facts that answer the question. If one of these facts is unknown, the answer is unknown. */
  facts: FactName[];
  holds(facts: Facts): boolean;
  /**
   * Returns the id of the pattern's graph. Some rules choose between two graphs. A fact that is needed only for this choice may be unknown.
   */
  pattern(facts: Facts): string;
  reason: string;
}

const always = (pattern: string) => () => pattern;
const manyItems = 100;
const shortMinutes = 5;

/** The questions, in the order in which they are asked. The first question with the answer yes decides. */
const rules: Rule[] = [
  {
    question: `Does the task take less than ${shortMinutes} minutes?`,
    ...{ facts: ["minutes"], holds: ({ minutes }) => Number(minutes) < shortMinutes, pattern: always("react") },
    reason: `A task of less than ${shortMinutes} minutes needs one agent and no orchestration.`,
  },
  {
    question: "Are the parts independent of each other?",
    ...{ facts: ["independent"], holds: ({ independent }) => independent === true, pattern: always("fan-out") },
    reason: "Independent parts are done side by side.",
  },
  {
    question: "Does each step need the result of the step before?",
    ...{ facts: ["sequential"], holds: ({ sequential }) => sequential === true },
    pattern: ({ undo }) => (undo ? "saga" : "pipeline"),
    reason: "Steps that build on each other are done in order. If completed steps must be undone, a saga does it.",
  },
  {
    question: "Are the opinions of several experts needed?",
    ...{ facts: ["opinions"], holds: ({ opinions }) => opinions === "independent" || opinions === "opposed" },
    pattern: ({ opinions }) => (opinions === "opposed" ? "debate" : "panel"),
    reason: "Experts state their views on their own in a panel, and against each other in a debate.",
  },
  {
    question: `Are there ${manyItems} similar items or more?`,
    ...{ facts: ["items"], holds: ({ items }) => Number(items) >= manyItems, pattern: always("map-reduce") },
    reason: "Many similar items are divided into partitions, and the outputs are joined.",
  },
  {
    question: "Is the work complex, and must its steps stay independent of each other's code?",
    ...{ facts: ["flexibility"], holds: ({ flexibility }) => flexibility === "high", pattern: always("choreography") },
    reason: "Listeners that react to events are added and removed without changing the others.",
  },
  {
    question: "Are the decisions complex, and is it clear who decides?",
    facts: ["decisions", "authority"],
    holds: ({ decisions, authority }) => decisions === "complex" && authority === "clear",
    pattern: always("hierarchy"),
    reason: "A commander sets objectives, and squads with leaders of their own reach them.",
  },
  {
    question: "Does the situation change, and must the work survive the loss of agents?",
    facts: ["dynamic", "resilience"],
    holds: ({ dynamic, resilience }) => dynamic === true && resilience === "critical",
    pattern: always("mesh"),
    reason: "In a mesh no agent is needed by all others, so the rest go on when one is lost.",
  },
  {
    question: "Does somebody have to decide again after each result?",
    ...{ facts: ["judgement"], holds: ({ judgement }) => judgement === true, pattern: always("supervisor") },
    reason: "A supervisor reviews each wave of work, and changes the plan.",
  },
  {
    question: "Does the quality of a text count most?",
    ...{ facts: ["quality"], holds: ({ quality }) => quality === "critical", pattern: always("reflect") },
    reason: "A critic judges each draft until it meets the criteria.",
  },
  {
    question: "Is the work described by roles?",
    ...{ facts: ["roles"], holds: ({ roles }) => roles === true, pattern: always("crew") },
    reason: "A crew gives each role its goal, its background and its tasks.",
  },
  {
    question: "Do specialists hand a conversation over to each other?",
    ...{ facts: ["handoff"], holds: ({ handoff }) => handoff === true, pattern: always("swarm") },
    reason: "In a swarm the specialist who has the conversation answers, or hands it over.",
  },
  {
    question: "Is the work a set of states and events?",
    ...{ facts: ["states"], holds: ({ states }) => states === true, pattern: always("state-machine") },
    reason: "A state machine allows only the transitions that you list.",
  },
  {
    question: "Is the same work measured at several sizes?",
    ...{ facts: ["loads"], holds: ({ loads }) => loads === true, pattern: always("scenario") },
    reason: "The scenario orchestrator runs a skill at three difficulties at once, and compares them.",
  },
];

/** The ids of all patterns that the rules can choose. */
export const choosable = [...new Set([...rules.map(({ pattern }) => pattern({})), "saga", "debate"])];

export interface Step {
  question: string;
  answer: "yes" | "no" | "unknown";
  facts: Facts;
}

export interface Decision {
  pattern: string;
  reasons: string[];
  path: Step[];
  runnersUp: { pattern: string; reason: string }[];
}

const fallback = { pattern: "pipeline", reason: "No fact calls for another pattern, so the work starts as a sequence of stages." };

/**
 * Returns the facts that the decision needs and that are still missing. The decision needs the facts of all questions before the first
 * question with the answer yes.
 */
export function missingFacts(facts: Facts): FactName[] {
  const first = rules.findIndex((rule) => answerOf(rule, facts) === "yes");
  const asked = rules.slice(0, first === -1 ? rules.length : first);
  return [...new Set(asked.flatMap((rule) => rule.facts))].filter((name) => facts[name] === undefined);
}

/** Decides on a pattern. The runners-up are the patterns of later questions with the answer yes, followed by the most general patterns. */
export function decide(facts: Facts): Decision {
  const answered = rules.map((rule) => ({ rule, answer: answerOf(rule, facts) }));
  const holding = answered.filter(({ answer }) => answer === "yes").map(({ rule }) => named(rule, facts));
  const [first = fallback] = holding;
  const end = answered.findIndex(({ answer }) => answer === "yes");
  const path = answered.slice(0, end === -1 ? undefined : end + 1);
  const others = [...holding, fallback, { pattern: "supervisor", reason: "A supervisor plans the work by itself." }, soloist];
  return {
    pattern: first.pattern,
    reasons: [first.reason],
    path: path.map(({ rule, answer }) => ({ question: rule.question, answer, facts: pick(facts, rule.facts) })),
    runnersUp: others
      .filter(({ pattern }, index) => pattern !== first.pattern && others.findIndex((one) => one.pattern === pattern) === index)
      .slice(0, 2),
  };
}

const soloist = { pattern: "react", reason: "One agent with tools is the cheapest try." };

const named = (rule: Rule, facts: Facts) => ({ pattern: rule.pattern(facts), reason: rule.reason });

function answerOf(rule: Rule, facts: Facts): Step["answer"] {
  if (rule.facts.some((name) => facts[name] === undefined || facts[name] === null)) return "unknown";
  return rule.holds(facts) ? "yes" : "no";
}

const pick = (facts: Facts, names: FactName[]): Facts =>
  Object.fromEntries(names.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]));
