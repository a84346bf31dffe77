import { closed } from "ensemble/patterns";
import { z } from "zod";

const known = (description: string) => z.boolean().nullable().optional().describe(description);
const level = <const Names extends [string, ...string[]]>(names: Names, description: string) =>
  z.enum(names).nullable().optional().describe(description);
const count = (description: string) => z.number().int().min(0).max(1_000_000_000).nullable().optional().describe(description);

/**
 * The facts that decide which pattern is chosen for a task. If the caller leaves a fact out, the judge may be asked for it. If the caller
 * sets a fact to null, the fact stays unknown, and the judge is not asked.
 */
export const Facts = closed({
  minutes: z.number().min(0).max(1_000_000).nullable().optional().describe("Minutes that one person or agent needs for the whole task"),
  independent: known("Whether the parts of the task need nothing of each other"),
  sequential: known("Whether each step needs the result of the step before"),
  undo: known("Whether completed steps must be undone if a later one fails"),
  opinions: level(["none", "independent", "opposed"], "Whether several experts judge, on their own or against each other"),
  items: count("Number of similar items to work on"),
  judgement: known("Whether a person in charge would have to decide again after each result"),
  dynamic: known("Whether the situation changes while the work is done"),
  decisions: level(["simple", "complex"], "How hard the decisions are"),
  speed: level(["normal", "critical"], "Whether a fast result is what counts most"),
  quality: level(["normal", "critical"], "Whether a flawless text is what counts most"),
  authority: level(["clear", "shared"], "Whether one leader decides"),
  flexibility: level(["low", "high"], "Whether steps must be added and removed without changing the others"),
  resilience: level(["normal", "critical"], "Whether the work must go on when agents are lost"),
  humanInTheLoop: known("Whether a person must approve something"),
  roles: known("Whether people would describe the work by roles, such as a researcher and a writer"),
  handoff: known("Whether specialists talk to a user and hand the conversation over to each other"),
  states: known("Whether the work is a set of states with events that lead from one to the next"),
  loads: known("Whether the same work is measured at several sizes or difficulties"),
  agents: count("Number of agents that the work needs"),
});
export type Facts = z.infer<typeof Facts>;
export type FactName = keyof Facts;

export const factNames = Object.keys(Facts.shape) as FactName[];

/** The judge's answer: the facts for which the judge found evidence in the task. */
export const Reading = z.object({
  found: z
    .array(
      z.object({
        fact: z.enum(factNames as [FactName, ...FactName[]]).describe("Name of the fact"),
        value: z.union([z.boolean(), z.number(), z.string()]).describe("Value of the fact, of the type that the list names"),
        evidence: z.string().describe("Words of the task that show it"),
      }),
    )
    .max(factNames.length)
    .describe("Facts that the task shows. A fact without evidence is left out."),
});

/** Returns a text for the judge that lists these facts, each with its possible values and its description. */
export const describeFacts = (names: FactName[]): string =>
  names.map((name) => `- ${name} (${valuesOf(name)}): ${Facts.shape[name].description}`).join("\n");

function valuesOf(name: FactName): string {
  const plain = Facts.shape[name].unwrap().unwrap() as z.ZodType;
  if (plain instanceof z.ZodEnum) return plain.options.map((one) => `"${one}"`).join(" or ");
  return plain instanceof z.ZodBoolean ? "true or false" : "a number";
}

/** Returns the facts that the judge found. Leaves out facts that the caller gave, and values of a wrong type. */
export function factsFrom({ found }: z.infer<typeof Reading>, given: Facts) {
  const usable = found.filter(({ fact, value }) => given[fact] === undefined && Facts.shape[fact].safeParse(value).success);
  return {
    facts: Object.fromEntries(usable.map(({ fact, value }) => [fact, value])) as Facts,
    evidence: Object.fromEntries(usable.map(({ fact, evidence }) => [fact, evidence])) as Record<string, string>,
  };
}
