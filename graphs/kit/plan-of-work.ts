import { z } from "zod";

const mostSteps = 12;

export const WorkStep = z.object({
  id: z
    .string()
    .trim()
    .min(1)
    .refine((id) => !(id in Object.prototype), "a name that every object has")
    .describe("By which other steps refer to it"),
  agent: z.string().describe("Who does it; a name of the roster"),
  task: z.string().trim().min(1).describe("What is to be done"),
  dependsOn: z.array(z.string()).default([]).describe("Steps whose results it needs"),
});

export type WorkStep = z.infer<typeof WorkStep>;

/** Returns the schema of a step for a model. It gives the model the valid names, and a later check validates the plan as a whole. */
export const stepFor = (roster: string[]) => WorkStep.extend({ agent: z.string().meta({ description: "Who does it", enum: roster }) });

export const planFor = (roster: string[]) =>
  z.object({ steps: z.array(stepFor(roster)).min(1).max(mostSteps).describe("What is done, by whom") });

/** Returns what is wrong with a plan, in sentences. The list is empty when the plan can run. `known` are steps that already exist. */
export function problemsOf(steps: WorkStep[], roster: string[], known: string[] = []): string[] {
  const ids = [...known, ...steps.map(({ id }) => id)];
  return [
    ...ids.filter((id, index) => ids.indexOf(id) < index).map((id) => `Two steps have the id "${id}".`),
    ...steps
      .filter(({ agent }) => !roster.includes(agent))
      .map(({ id, agent }) => `Step "${id}" is for "${agent}"; there are ${roster.join(", ")}.`),
    ...steps.flatMap(({ id, dependsOn }) =>
      dependsOn.filter((other) => !ids.includes(other)).map((other) => `Step "${id}" depends on "${other}", which is no step.`),
    ),
    ...(hasCycle(steps) ? ["Steps depend on each other in a circle."] : []),
    ...(ids.length > mostSteps ? [`There are ${ids.length} steps; ${mostSteps} are the most.`] : []),
  ];
}

function hasCycle(steps: WorkStep[]): boolean {
  let waiting = steps;
  for (;;) {
    const ids = new Set(waiting.map(({ id }) => id));
    const left = waiting.filter(({ dependsOn }) => dependsOn.some((other) => ids.has(other)));
    if (left.length === 0) return false;
    if (left.length === waiting.length) return true;
    waiting = left;
  }
}
