import { z } from "zod";
import { priceOf } from "../agent/ledger.ts";
import type { ScenarioDefinition } from "../skills/definition.ts";
import type { Skill } from "../skills/skill.ts";
import type { ScenarioContext } from "./context.ts";

const Cost = z.object({
  tokens: z.number().describe("Expected tokens of the model calls"),
  dollars: z.number().nullable().describe("Expected cost of those tokens. Null if the model has no price."),
  computeDollars: z.number().describe("Cost of the working time if the whole time budget is used"),
});

/** The expected cost of a run, computed before it starts. */
export const Estimate = Cost.extend({
  scenarios: z.array(Cost.extend({ scenario: z.string().describe("Name of the scenario") })).describe("Cost of each scenario"),
});

export type Estimate = z.infer<typeof Estimate>;

/** Returns the expected cost of the scenarios. The skill estimates the tokens, and the time budgets limit the working time. */
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
