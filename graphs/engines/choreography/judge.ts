import { z } from "zod";
import { agent } from "../../agent/agent.ts";
import { tierOf } from "../../agent/context.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { Answer } from "../conditions.ts";
import { isPresent, settlementOf } from "./board.ts";
import type { Question } from "./match.ts";
import type { ChoreographyContext, Config, Setup } from "./nodes.ts";
import type { Conflict, Write } from "./state.ts";

interface Limited {
  budget: ChoreographyContext["budget"];
}

const judge = (instructions: string, output: z.ZodType) => agent({ name: "judge", role: "a careful judge", instructions, output });
const prompts = {
  decide: "Answer the question with yes or no, and say why.",
  arbitrate: (key: string) => `Several agents wrote different values for "${key}". Which of them should hold? Say why.`,
  choose: "Which of these agents can bring the work forward most now? Say why.",
};

/** Asks the judge the question of a condition. The answer is stored, so that the question is not asked again. */
export const decide = (setup: Setup) => async (sent: Question & Limited, config: Config) => {
  const { place, ask, model, input, budget } = sent;
  const startedAt = Date.now();
  const tier = tierOf({ ...setup.contextOf(config), budget }, "judge");
  const assignment = { ...tier, ...(model && { model }), agent: judge(prompts.decide, Answer), task: ask, input, pattern: setup.name };
  const outcome = await runAgent<z.infer<typeof Answer>>(assignment, config);
  const answer = outcome.status === "success" ? outcome.result : { holds: false, reason: `The judge failed: ${outcome.error}` };
  report(config, setup.name, "condition", startedAt, { place, ask, ...answer });
  return { answers: { [place]: { [ask]: answer } }, ledger: outcome.ledger };
};

/** Asks the judge which of several values of a key to keep. If the judge fails, the value with the highest confidence is kept. */
export const arbitrate =
  (setup: Setup) =>
  async ({ conflict, budget }: { conflict: Conflict } & Limited, config: Config) => {
    const startedAt = Date.now();
    const { key, writes } = conflict;
    const Choice = z.object({ winner: z.enum(writes.map(({ by }) => by)), reason: z.string() });
    const input = writes.map(({ by, value, confidence }) => ({ agent: by, value, confidence }));
    const assignment = { ...tierOf({ ...setup.contextOf(config), budget }, "judge"), input, pattern: setup.name };
    const errand = { ...assignment, agent: judge("", Choice), task: prompts.arbitrate(key) };
    const outcome = await runAgent<z.infer<typeof Choice>>(errand, config);
    const surest = writes.toSorted((one, other) => other.confidence - one.confidence)[0] as Write;
    const choice = outcome.status === "success" ? outcome.result : { winner: surest.by, reason: `The judge failed: ${outcome.error}` };
    report(config, setup.name, "conflict", startedAt, { key, ...choice });
    const winner = writes.find(({ by }) => by === choice.winner) as Write;
    const settlement = settlementOf(conflict, "arbitration", choice.winner, choice.reason);
    return { settlements: [settlement], decided: isPresent(winner) ? [] : [winner], ledger: outcome.ledger };
  };

/** Asks the judge which listener to wake next. If the judge fails, the first candidate is woken. */
export const choose =
  (setup: Setup) =>
  async ({ names, input, budget }: { names: string[]; input: object } & Limited, config: Config) => {
    const startedAt = Date.now();
    const Choice = z.object({ agent: z.enum(names), reason: z.string() });
    const assignment = {
      ...tierOf({ ...setup.contextOf(config), budget }, "judge"),
      input: { ...input, agents: names },
      pattern: setup.name,
    };
    const outcome = await runAgent<z.infer<typeof Choice>>({ ...assignment, agent: judge("", Choice), task: prompts.choose }, config);
    const chosen = outcome.status === "success" ? outcome.result.agent : (names[0] ?? null);
    report(config, setup.name, "choice", startedAt, { chosen });
    return { chosen, ledger: outcome.ledger };
  };
