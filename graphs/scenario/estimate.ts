import { z } from "zod";
import { priceOf } from "../agent/ledger.ts";
import type { ScenarioDefinition } from "../skills/definition.ts";
import type { Skill } from "../skills/skill.ts";
import type { ScenarioContext } from "./context.ts";

const Cost = z.object({
  tokens: z.number().describe("Expected tokens of its calls of models"),
  dollars: z.number().nullable().describe("Expected cost of those tokens. Null for a model without a price."),
  computeDollars: z.number().describe("The most that its work costs, if it uses its whole time budget"),
});

/** The cost of a run as it is expected before the start. */
export const Estimate = Cost.extend({
  scenarios: z.array(Cost.extend({ scenario: z.string().describe("Name of the scenario") })).describe("Cost of each scenario"),
});

export type Estimate = z.infer<typeof Estimate>;

/** Returns what the scenarios are expected to cost. Tokens are expected by the skill, and the time budget limits the rest. */
export function estimateOf(skill: Skill, definitions: ScenarioDefinition[], context: ScenarioContext): Estimate {
  const { models, budget, computeDollarsPerHour: rate } = context;
  const price = priceOf(models.worker, models.worker, budget);
  const scenarios = definitions.map(({ name, inputSize, complexityMultiplier, timeBudgetSeconds, skillParams }) => {
    const { input, output } = skill.tokens(skill.params.parse(skillParams), complexityMultiplier);
    const perItem = price && (input * price.input + output * price.output) / 1_000_000;
    const tokens = inputSize * (input + output);
    return {
      scenario: name,
      tokens,
      dollars: tokens === 0 ? 0 : perItem === undefined ? null : inputSize * perItem,
      computeDollars: (timeBudgetSeconds / 3_600) * rate,
    };
  });
  const sum = (figure: (one: (typeof scenarios)[number]) => number) => scenarios.reduce((total, one) => total + figure(one), 0);
  const isPriced = scenarios.every(({ dollars }) => dollars !== null);
  return {
    tokens: sum(({ tokens }) => tokens),
    dollars: isPriced ? sum(({ dollars }) => dollars ?? 0) : null,
    computeDollars: sum(({ computeDollars }) => computeDollars),
    scenarios,
  };
}
