import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { agent } from "../../agent/agent.ts";
import { askAnswer } from "../../agent/ask-human.ts";
import { tierOf } from "../../agent/context.ts";
import { budgetLeft } from "../../agent/ledger.ts";
import { report } from "../../agent/progress.ts";
import { runAgent } from "../../agent/run-agent.ts";
import { Answer, type Conditions, replacePaths } from "../conditions.ts";
import { type Code, type Doing, perform, type Surroundings } from "../doing.ts";
import { type Acted, msLeft, type Running, type Taking, valuesOf } from "./state.ts";
import { eventsIn } from "./table.ts";

export type Config = LangGraphRunnableConfig;
export type MachineContext = Surroundings["context"] & { maxSteps: number };

/** The values that all nodes of a state machine share. */
export interface Setup {
  name: string;
  code: Code;
  conditions: Conditions;
  contextOf(config: Config): MachineContext;
}

/** A guard's question to the judge, and the key (`place`) under which the answer is stored. */
export interface Question {
  place: string;
  ask: string;
  model?: string;
  input: unknown;
  budget: MachineContext["budget"];
}

const judge = (instructions: string, output: z.ZodType) => agent({ name: "judge", role: "a careful judge", instructions, output });
const prompts = {
  decide: "Answer the question with yes or no, and say why.",
  interpret: "Which of the events does this message ask for? Choose `none` if it asks for none of them.",
};

/** Lets the judge choose the event that a message asks for. */
export const interpret = (setup: Setup) => async (state: Running, config: Config) => {
  const Choice = z.object({ event: z.enum([...eventsIn(state.machine, state.state), "none"]) });
  const context = setup.contextOf(config);
  const tier = tierOf({ ...context, budget: budgetLeft(state.ledger, context.budget) }, "judge");
  const input = { message: state.task, state: state.state };
  const errand = { ...tier, agent: judge("", Choice), task: prompts.interpret, input, pattern: setup.name };
  const outcome = await runAgent<z.infer<typeof Choice>>(errand, config);
  const { ledger } = outcome;
  if (outcome.status !== "success") return { ledger, error: `The judge failed: ${outcome.error}` };
  return { ledger, event: outcome.result.event === "none" ? null : outcome.result.event };
};

/** Asks the judge the question of a guard. The answer is stored, so that the question is not asked again. */
export const decide =
  (setup: Setup) =>
  async ({ place, ask, model, input, budget }: Question, config: Config) => {
    const startedAt = Date.now();
    const tier = { ...tierOf({ ...setup.contextOf(config), budget }, "judge"), ...(model && { model }) };
    const outcome = await runAgent<Answer>(
      { ...tier, agent: judge(prompts.decide, Answer), task: ask, input, pattern: setup.name },
      config,
    );
    const answer = outcome.status === "success" ? outcome.result : { holds: false, reason: `The judge failed: ${outcome.error}` };
    report(config, setup.name, "condition", startedAt, { place, ask, ...answer });
    return { answers: { [place]: { [ask]: answer } }, ledger: outcome.ledger };
  };

/**
 * If an action fails less than this many milliseconds before the state's time limit, the limit counts as passed. The time limit ends by the
 * database's clock, which may be ahead of this process's clock.
 */
const skewMs = 1_000;

/** Does the action of the transition once. If the action asks a person, the question waits no longer than the state's time limit. */
export const act = (setup: Setup) => async (state: Running, config: Config) => {
  const { transition, event, tries, error } = state.taking as Taking;
  const { from, to, timeoutSeconds } = transition;
  const startedAt = Date.now();
  const own = setup.contextOf(config);
  const seconds = Math.min(own.askTimeoutSeconds ?? Number.POSITIVE_INFINITY, Math.max(msLeft(state) / 1_000, 0.001));
  const context = {
    ...{ ...own, budget: budgetLeft(state.ledger, own.budget) },
    askTimeoutSeconds: Number.isFinite(seconds) ? seconds : null,
  };
  const { facts } = valuesOf(state);
  const action = replacePaths(transition.action, valuesOf(state)) as Doing;
  const errand = {
    ...{ name: event ?? to, do: action, timeoutSeconds },
    input: action.tool === undefined ? { from, event, to, facts, output: state.output ?? null } : facts,
    notes: error === undefined ? [] : [`The last try failed: ${error}`],
    speaks: state.machine.states[to]?.final === true,
  };
  const outcome = await perform(errand, { pattern: setup.name, code: setup.code, agents: state.agents, context }, config);
  report(config, setup.name, "action", startedAt, { from, event, to, status: outcome.status, tries: tries + 1 });
  const { ledger, ...acted } = outcome;
  const isOverdue = outcome.status !== "success" && msLeft(state) <= skewMs;
  return { acted: { ...acted, isOverdue } satisfies Acted, ledger };
};

/** Asks for the next event in a state with a time limit. When the limit passes, the service's timer answers. */
export const wait = (_setup: Setup) => (state: Running) => {
  const { machine, state: current, refused, facts, since } = state;
  const prompt = `${refused ? `${refused.error}: ${refused.message}. ` : ""}The machine is in ${current}. Which event comes next?`;
  const details = { state: current, since, facts };
  const event = askAnswer(prompt, eventsIn(machine, current), { details, timeoutSeconds: Math.max(msLeft(state) / 1_000, 0.001) });
  return { event: event ?? null, isOverdue: event === undefined, moves: 0, error: null, refused: null, spoken: [] };
};
