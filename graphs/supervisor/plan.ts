import { z } from "zod";

const mostSteps = 12;

export const WorkStep = z.object({
  id: z
    .string()
    .trim()
    .min(1)
    .refine((id) => !(id in Object.prototype), "a name that every object has")
    .describe("Name of the step. Other steps refer to it."),
  agent: z.string().describe("Agent of the roster that does it"),
  task: z.string().trim().min(1).describe("Task of the agent"),
  dependsOn: z.array(z.string()).default([]).describe("Steps whose results it needs"),
  needsInput: z
    .boolean()
    .optional()
    .describe("Whether the agent also gets the input. Without a value, only a step without dependencies gets it."),
});

export type WorkStep = z.infer<typeof WorkStep>;

/**
 * Returns the schema of a step that a model plans. The schema tells the model the names of the agents. Code validates the whole plan later.
 */
export const stepFor = (names: string[]) =>
  WorkStep.extend({ agent: z.string().meta({ description: "Agent of the team that does it", enum: names }) });

export const planFor = (names: string[]) =>
  z.object({ steps: z.array(stepFor(names)).min(1).max(mostSteps).describe("Steps of the work and their agents") });

/** A problem in a plan, and the step that causes it. */
interface Problem {
  step: WorkStep;
  text: string;
}

/** Returns the problems of a plan. The list is empty if the plan can run. `known` has the ids of the steps that are already in the plan. */
export function problemsOf(steps: WorkStep[], names: string[], known: string[] = []): Problem[] {
  const ids = [...known, ...steps.map(({ id }) => id)];
  const inCircle = circleOf(steps);
  return steps.flatMap((step, index) => {
    const { id, agent, dependsOn } = step;
    const place = known.length + index;
    return [
      ids.indexOf(id) < place && `Two steps have the id "${id}".`,
      !names.includes(agent) && `Step "${id}" is for "${agent}"; there are ${names.join(", ")}.`,
      ...dependsOn.filter((other) => !ids.includes(other)).map((other) => `Step "${id}" depends on "${other}", which is no step.`),
      inCircle.includes(step) && `Step "${id}" depends on itself, in a circle of steps.`,
      place >= mostSteps && `Step "${id}" is one too many; ${mostSteps} are the most.`,
    ].flatMap((text) => (text ? [{ step, text }] : []));
  });
}

/** Returns the steps that can be added to the plan, and the problems of the steps that cannot. */
export function acceptable(steps: WorkStep[], names: string[], known: string[]): { accepted: WorkStep[]; refused: Problem[] } {
  const refused: Problem[] = [];
  let accepted = steps;
  for (;;) {
    const problems = problemsOf(accepted, names, known);
    if (problems.length === 0) return { accepted, refused };
    refused.push(...problems);
    const bad = new Set(problems.map(({ step }) => step));
    accepted = accepted.filter((step) => !bad.has(step)); // a step that depends on a removed one is removed in the next iteration
  }
}

/** Returns the steps that wait for each other in a circle. */
function circleOf(steps: WorkStep[]): WorkStep[] {
  let waiting = steps;
  for (;;) {
    const ids = new Set(waiting.map(({ id }) => id));
    const left = waiting.filter(({ dependsOn }) => dependsOn.some((other) => ids.has(other)));
    if (left.length === waiting.length) return left;
    waiting = left;
  }
}
