import type { BaseMessage } from "@langchain/core/messages";
import { z } from "zod";
import { type ScenarioDefinition, ScenarioRequest } from "../skills/definition.ts";
import { type Skills, skillIn } from "../skills/registry.ts";
import type { Skill } from "../skills/skill.ts";
import type { ScenarioContext } from "./context.ts";
import { estimateOf } from "./estimate.ts";
import type { ScenarioProgress } from "./progress.ts";
import { Mode } from "./sync.ts";

/**
 * The maximum number of batches of a scenario. Each batch is a checkpoint that repeats the results of all earlier batches, so storage grows
 * with the square of the number of batches.
 */
const mostBatches = 200;

/** Returns the smallest batch size that an input of this size allows. */
export const smallestBatch = (inputSize: number) => Math.ceil(inputSize / mostBatches);

/** The plan of a run: its skill and mode, and the names of the earlier scenarios that it repeats. */
export const Planned = z.object({
  skill: z.string(),
  mode: Mode,
  seed: z.number().int(),
  spread: z.boolean().default(false).describe("Whether each scenario is a run of its own"),
  part: z.boolean().default(false).describe("Whether this is the run of one scenario of a spread run"),
  rerun: z.array(z.string()).describe("Scenarios of an earlier run that run again. Empty if all scenarios are new."),
});

export type Planned = z.infer<typeof Planned>;

/** The values from which a plan is made: the input, and the values that an earlier run left on the thread. */
interface Asked extends Omit<Planned, "skill"> {
  skill: string | null;
  messages: BaseMessage[];
  scenarios: ScenarioRequest[];
  planned: Planned | null;
  definitions: ScenarioDefinition[];
  progress: Record<string, ScenarioProgress>;
}

interface Plan {
  planned: Planned;
  definitions: ScenarioDefinition[];
  /** The progress of the earlier scenarios that are not repeated, by the scenario's name. */
  kept: Record<string, ScenarioProgress>;
}

/** Plans a run. Returns its scenarios, their expected cost, and an outline of the scenarios that will start. */
export function planRun(asked: Asked, skills: Skills, context: ScenarioContext) {
  const plan = planScenarios(asked, skills);
  const beginning = plan.definitions.filter(({ name }) => !(name in plan.kept));
  const estimate = estimateOf(skills.find(plan.planned.skill), beginning, context);
  return { ...plan, estimate, outline: beginning.map(outlineOf) };
}

/**
 * Plans new scenarios, or repeats some scenarios of the earlier run. Repeated scenarios keep the earlier skill, mode and seed. The input
 * may change their other fields.
 */
function planScenarios(asked: Asked, skills: Skills): Plan {
  const { mode, seed, rerun, spread, part, scenarios, planned, definitions, progress } = asked;
  if (rerun.length === 0) {
    const skill = asked.skill ?? skillIn(asked.messages, skills);
    return { planned: { skill, mode, seed, rerun, spread, part }, definitions: completeScenarios(skills.find(skill), scenarios), kept: {} };
  }
  const known = definitions.map(({ name }) => name);
  for (const name of [...rerun, ...scenarios.map((one) => one.name)]) {
    if (known.includes(name)) continue;
    const all = known.map((one) => `${one} (${progress[one]?.status})`).join(", ");
    throw new Error(`There is no scenario "${name}" on this thread to run again; there are ${all || "none"}.`);
  }
  if (!planned) throw new Error("There is no earlier run on this thread.");
  const changes = new Map(scenarios.map((request) => [request.name, given(request)]));
  const changed = definitions.map((one) => (rerun.includes(one.name) ? { ...one, ...changes.get(one.name) } : one));
  checkScenarios(skills.find(planned.skill), changed);
  const kept = Object.entries(progress).filter(([name]) => !rerun.includes(name));
  return {
    planned: { ...planned, rerun, spread: spread && planned.mode === "free" },
    definitions: changed,
    kept: Object.fromEntries(kept),
  };
}

/** Returns the outline of a scenario, which is reported before the scenario starts. */
const outlineOf = ({ name, difficulty, inputSize: items, timeBudgetSeconds }: ScenarioDefinition) => ({
  name,
  difficulty,
  items,
  timeBudgetSeconds,
});

/** The schema of the scenarios that a caller sends. Their names are unique. */
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
 * Returns the caller's scenarios, or the skill's own scenarios if the caller sent none. Missing fields come from the skill's scenario of
 * the same difficulty. Throws if the skill does not accept a scenario.
 */
export function completeScenarios(skill: Skill, requests: ScenarioRequest[]): ScenarioDefinition[] {
  const own = skill.scenarios();
  const definitions = requests.length === 0 ? own : requests.map((request) => completeScenario(own, request));
  checkScenarios(skill, definitions);
  return definitions;
}

function checkScenarios(skill: Skill, definitions: ScenarioDefinition[]): void {
  for (const { name, skillParams, inputSize, batchSize } of definitions) {
    if (inputSize > mostBatches * batchSize) {
      throw new Error(
        `"${name}" would be ${Math.ceil(inputSize / batchSize)} batches; ${mostBatches} are the most: give it a larger batchSize.`,
      );
    }
    const parsed = skill.params.safeParse(skillParams);
    if (!parsed.success) throw new Error(`The skillParams of "${name}" do not suit ${skill.name}: ${z.prettifyError(parsed.error)}`);
  }
}

function completeScenario(own: ScenarioDefinition[], request: ScenarioRequest): ScenarioDefinition {
  const model = own.find(({ difficulty }) => difficulty === (request.difficulty ?? "easy")) ?? own[0];
  if (!model) throw new Error("The skill has no scenarios of its own to complete yours from.");
  return { ...model, ...given(request), name: request.name };
}

const given = (request: ScenarioRequest): Partial<ScenarioDefinition> =>
  Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));

/** Returns the scenario with half of its items and half of its batch size, for the second try. */
export function halved(definition: ScenarioDefinition): ScenarioDefinition {
  const half = (size: number) => Math.max(1, Math.floor(size / 2));
  return { ...definition, inputSize: half(definition.inputSize), batchSize: half(definition.batchSize) };
}
