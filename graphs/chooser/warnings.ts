import type { FactName, Facts } from "./facts.ts";
import { decide } from "./rules.ts";

/** Pairs of contradictory facts. The two facts of a pair are rarely both true, and each of them calls for a different pattern. */
const opposites: [Facts, Facts][] = [
  [{ independent: true }, { sequential: true }],
  [{ minutes: 1 }, { items: 100 }],
  [{ minutes: 1 }, { roles: true }],
  [{ minutes: 1 }, { judgement: true }],
  [
    { authority: "clear", decisions: "complex" },
    { dynamic: true, resilience: "critical" },
  ],
];

const mostAtOnce = 8;
const talkative = ["mesh", "swarm", "debate"];
const asking = ["react", "pipeline"];

/** Returns the warnings of a decision: contradictory facts, high costs, and wishes that the pattern does not fulfil. */
export function warningsOf(pattern: string, facts: Facts): string[] {
  const { agents, minutes, speed, humanInTheLoop } = facts;
  const quick = minutes !== undefined && minutes !== null && minutes < 5;
  return [
    ...opposites.filter(([one, other]) => holds(facts, one) && holds(facts, other)).map(contradiction),
    quick && "The task takes less than 5 minutes, so any other pattern costs more than it saves.",
    Number(agents) > mostAtOnce &&
      `${agents} agents are many. At most ${mostAtOnce} work at once, and each one adds to what the others have to read.`,
    talkative.includes(pattern) &&
      "Agents that talk to each other read each other's messages. That costs two to three times the tokens of agents that report to one.",
    speed === "critical" && ["pipeline", "saga"].includes(pattern) && "Steps in sequence do not become faster with more agents.",
    humanInTheLoop === true &&
      !asking.includes(pattern) &&
      `The payload asks no person. Give an agent of ${pattern} the tool \`ask_human\`, or list its tools in \`approve\`.`,
  ].filter((warning) => typeof warning === "string");
}

function contradiction([one, other]: [Facts, Facts]): string {
  const [first, second] = [decide(one).pattern, decide(other).pattern];
  return `${namesOf(one)} and ${namesOf(other)} contradict each other: ${first} fits the one, and ${second} the other.`;
}

const namesOf = (facts: Facts) =>
  Object.keys(facts)
    .map((name) => `\`${name}\``)
    .join(" with ");

/**
 * Tells whether the facts match an example. If the example has `minutes`, the fact `minutes` must be below 5. If it has `items`, the fact
 * `items` must be at least the number in the example. Every other fact must be equal to the fact in the example.
 */
function holds(facts: Facts, example: Facts): boolean {
  return Object.entries(example).every(([name, value]) => {
    const fact = facts[name as FactName];
    if (fact === undefined || fact === null) return false;
    if (name === "minutes") return Number(fact) < 5;
    return name === "items" ? Number(fact) >= Number(value) : fact === value;
  });
}

/** Returns a warning if the project has no graph for the pattern. */
export const missingGraph = (pattern: string, ids: string[]): string | undefined =>
  ids.length === 0 || ids.includes(pattern) ? undefined : `This project has no graph "${pattern}". Add it to langgraph.json.`;
