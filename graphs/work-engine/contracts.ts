import { closed, Doing, JsonSchema } from "ensemble/patterns";
import { z } from "zod";

/** The contract of a skill: its capability, its input and output, and the agent or tool that does its work. */
export const Contract = closed({
  skill: z.string().trim().min(1).max(100).describe("Name of the skill"),
  capabilities: z.array(z.string().trim().min(1)).min(1).describe("Capabilities of the skill. Stages find the skill through them."),
  do: Doing.optional().describe("The work of the skill. Default: a worker with the name of the skill"),
  outputs: JsonSchema.optional().describe("JSON schema of the output"),
  downstream: z.array(z.string()).default([]).describe("Skills that are preferred for the stage after this one"),
  requires: z
    .array(z.enum(["artifacts", "tests"]))
    .default([])
    .describe("Lists that the output must have. Every test must have passed."),
});

export type Contract = z.infer<typeof Contract>;

export const Stage = closed({
  capability: z.string().trim().min(1).describe("Capability that the stage needs"),
  goal: z.string().trim().min(1).max(10_000).describe("Goal of the stage"),
  external: z
    .boolean()
    .default(false)
    .describe("Whether work outside the service produces the output. The run then asks a question, whose answer is the output."),
});

export type Stage = z.infer<typeof Stage>;

/** The share of failed stages, by the name of the skill. */
export type FailureRates = Record<string, number>;

/**
 * Returns the contract for each stage. If several skills have the capability that a stage needs, the skill that the previous stage prefers
 * wins. Without a preference, the skill that fails least often wins. Of several such skills, the first one wins. If no skill has the
 * capability, throws an error that lists the known capabilities.
 */
export function resolve(stages: Stage[], contracts: Contract[], rates: FailureRates): Contract[] {
  const resolved: Contract[] = [];
  for (const { capability } of stages) {
    const able = contracts.filter(({ capabilities }) => capabilities.includes(capability));
    if (able.length === 0) {
      const known = [...new Set(contracts.flatMap(({ capabilities }) => capabilities))];
      throw new Error(`No skill has the capability "${capability}"; there are ${known.join(", ")}.`);
    }
    const preferred = resolved.at(-1)?.downstream ?? [];
    const byHealth = able.toSorted((one, other) => (rates[one.skill] ?? 0) - (rates[other.skill] ?? 0));
    resolved.push((able.find(({ skill }) => preferred.includes(skill)) ?? byHealth[0]) as Contract);
  }
  return resolved;
}

/** The default contracts and stages, for runs that define none. */
export const usualContracts = z.array(Contract).parse([
  { skill: "planner", capabilities: ["plan"], downstream: ["writer"] },
  { skill: "writer", capabilities: ["write"], downstream: ["checker"] },
  { skill: "checker", capabilities: ["check"] },
]);
export const usualStages = z.array(Stage).parse([
  { capability: "plan", goal: "Plan the work in a few lines" },
  { capability: "write", goal: "Do the work as planned" },
  { capability: "check", goal: "Check the work and write the final version" },
]);
