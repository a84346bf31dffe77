import { setTimeout as sleep } from "node:timers/promises";
import { type LangGraphRunnableConfig, Send } from "@langchain/langgraph";
import {
  type AgentData,
  budgetLeft,
  type Code,
  type Conditions,
  type Doing,
  enforceBudget,
  perform,
  report,
  type Surroundings,
} from "ensemble/patterns";
import type { z } from "zod";
import { type Actor, intentionFor, Objections, type Part, valuesFor } from "./members.ts";
import type { Announced, Done, Mesh } from "./state.ts";

export type Config = LangGraphRunnableConfig;

/** The rules of a run: the agents, and the settings. They come from the code and from the run's context. */
export interface Rules {
  actors: Actor[];
  agents: AgentData[];
  keys: string[];
  answerKey: string;
  maxRounds: number;
  objections: boolean;
  onFailures: "ask" | "partial";
  context: Surroundings["context"];
}

export interface Setup {
  name: string;
  code: Code;
  conditions: Conditions;
  rulesOf(config: Config): Rules;
}

/** The input of a node that runs one part of a round for one agent. */
export interface Errand {
  actor: string;
  do: Doing;
  input: unknown;
  intention?: Announced;
  advice: string;
  stage: number;
  round: number;
  budget: Surroundings["context"]["budget"];
}

/** Runs one part of a round for one agent. A failure is stored as the outcome, so that the other agents continue. */
async function doPart(setup: Setup, part: Part, sent: Errand, config: Config): Promise<{ done: Done } & Pick<Mesh, "ledger" | "times">> {
  const { keys, answerKey, agents, context } = setup.rulesOf(config);
  const { actor, intention, stage, advice } = sent;
  const startedAt = Date.now();
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const touches = intention?.touches ?? [];
  const shapes: Record<Part, (output: z.ZodType | undefined) => z.ZodType | undefined> = {
    look: () => intentionFor(keys),
    object: () => Objections,
    act: (output) => (touches.length === 1 ? output : (output ?? valuesFor(touches))),
  };
  const errand = {
    ...{ name: `${actor}.${part}`, do: sent.do, input: sent.input, timeoutSeconds: 300, shape: shapes[part] },
    ...{ notes: advice === "" ? [] : [advice], speaks: part === "act" && touches.length === 1 && touches[0] === answerKey },
  };
  const around = { pattern: setup.name, code: setup.code, agents, context: { ...context, budget: sent.budget } };
  const { ledger, ...outcome } = await perform(errand, around, config);
  report(config, setup.name, part, startedAt, { agent: actor, status: outcome.status });
  const message = outcome.status === "success" && errand.speaks && outcome.message ? { message: outcome.message } : {};
  const result = outcome.status === "success" ? { result: outcome.result ?? null } : { error: outcome.error };
  const times = [{ round: sent.round, part, startedAt, endedAt: Date.now() }];
  return { done: { agent: actor, status: outcome.status, ...result, ...message }, ledger, times };
}

/** Lets an agent look at the board and say what it wants to do. */
export const look = (setup: Setup) => async (sent: Errand, config: Config) => {
  const { done, ...facts } = await doPart(setup, "look", sent, config);
  return { looked: [done], ...facts };
};

/** Asks an agent for its objections to the intentions of the other agents. */
export const object = (setup: Setup) => async (sent: Errand, config: Config) => {
  const { done, ...facts } = await doPart(setup, "object", sent, config);
  return { objected: [done], ...facts };
};

/** Lets an agent carry out its intention. */
export const act = (setup: Setup) => async (sent: Errand, config: Config) => {
  const { done, ...facts } = await doPart(setup, "act", sent, config);
  return { acted: [done], ...facts };
};

type Sent = Record<Part, (actor: Actor, state: Mesh) => unknown>;
const inputs: Sent = {
  look: ({ name }, { task, board, rounds, standings }) => {
    const last = rounds.at(-1);
    const own = {
      withheld: last?.withheld.filter(({ agent }) => agent === name) ?? [],
      effects: last?.effects.filter(({ agent }) => agent === name) ?? [],
    };
    return { objective: task, board, you: name, standing: standings[name], lastRound: last ? own : null };
  },
  object: ({ name }, { task, board, intentions }) => ({
    ...{ objective: task, board, you: name },
    intentions: intentions.filter(({ agent }) => agent !== name).map(({ agent, intention, touches }) => ({ agent, intention, touches })),
  }),
  act: ({ name }, { task, board, intentions, permitted }) => {
    const { intention, touches } = intentions.find(({ agent }) => agent === name) as Announced;
    const concerns = permitted?.objections.filter(({ against }) => against === name).map(({ by, reason }) => ({ by, reason }));
    return { objective: task, board, intention, touches, concerns };
  },
};

/** Sends actors to the node for a part of the round, up to the limit of parallel work. */
export function sendsFor(setup: Setup, part: Part, actors: Actor[], state: Mesh, config: Config): Send[] {
  const { context } = setup.rulesOf(config);
  enforceBudget(state.ledger, context.budget);
  const budget = budgetLeft(state.ledger, context.budget);
  return actors.slice(0, context.limits.parallel).map((actor, stage) => {
    const intention = part === "act" ? state.intentions.find(({ agent }) => agent === actor.name) : undefined;
    const input = inputs[part](actor, state);
    const errand: Errand = {
      actor: actor.name,
      do: actor[part] as Doing,
      input,
      intention,
      advice: state.advice,
      stage,
      round: state.round,
      budget,
    };
    return new Send(part, errand);
  });
}
