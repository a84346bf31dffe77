import { z } from "zod";
import { type ScenarioDefinition, ScenarioRequest } from "../skills/definition.ts";
import type { Skill } from "../skills/skill.ts";

/** The most batches, because each batch is a checkpoint with the results of all batches before it. */
const mostBatches = 200;

/** The scenarios of a caller, with unique names. */
export const ScenarioRequests = z
  .array(ScenarioRequest)
  .max(10)
  .superRefine((scenarios, context) => {
    scenarios.forEach(({ name }, index) => {
      if (scenarios.findIndex((other) => other.name === name) < index) {
        context.addIssue({ code: "custom", path: [index, "name"], message: `there is another scenario named "${name}"` });
      }
    });
  });

/**
 * Returns the skill's own scenarios, or the caller's with missing fields from the skill's profile of that difficulty. The skill must
 * accept each of them.
 */
export function completeScenarios(skill: Skill, requests: ScenarioRequest[]): ScenarioDefinition[] {
  const own = skill.scenarios();
  const definitions = requests.length === 0 ? own : requests.map((request) => completeScenario(own, request));
  for (const { name, skillParams, inputSize, batchSize } of definitions) {
    if (inputSize > mostBatches * batchSize) {
      throw new Error(
        `"${name}" would be ${Math.ceil(inputSize / batchSize)} batches; ${mostBatches} are the most: give it a larger batchSize.`,
      );
    }
    const parsed = skill.params.safeParse(skillParams);
    if (!parsed.success) throw new Error(`The skillParams of "${name}" do not suit ${skill.name}: ${z.prettifyError(parsed.error)}`);
  }
  return definitions;
}

function completeScenario(own: ScenarioDefinition[], { ...request }: ScenarioRequest): ScenarioDefinition {
  const model = own.find(({ difficulty }) => difficulty === request.difficulty) ?? own[0];
  if (!model) throw new Error("The skill has no scenarios of its own to complete yours from.");
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...model, ...Object.fromEntries(given), name: request.name };
}

/** Returns the scenarios with half of everything, for a second try. */
export function halved(definition: ScenarioDefinition): ScenarioDefinition {
  const half = (size: number) => Math.max(1, Math.floor(size / 2));
  return { ...definition, inputSize: half(definition.inputSize), batchSize: half(definition.batchSize) };
}
