import { setTimeout as sleep } from "node:timers/promises";
import { type LangGraphRunnableConfig, Overwrite, Send } from "@langchain/langgraph";
import type { z } from "zod";
import { askAnswer } from "../../agent/ask-human.ts";
import { budgetLeft, enforceBudget } from "../../agent/ledger.ts";
import { report } from "../../agent/progress.ts";
import type { Outcome } from "../../agent/run-agent.ts";
import { type Conditions, evaluate, questionsIn, replacePaths } from "../conditions.ts";
import { type Code, type Doing, perform, type Surroundings } from "../doing.ts";
import type { ConflictRule } from "./board.ts";
import { type Emission, type Event, keyOf, type Listener, type Reaction, type Wake } from "./event.ts";
import { dueWakes, limitReached, openQuestions, type Question, valuesOf } from "./match.ts";
import { publishAll } from "./publish.ts";
import type { ChoreographyValues } from "./state.ts";

export type Config = LangGraphRunnableConfig;

/** The parsed context of a choreography. */
export type ChoreographyContext = Surroundings["context"] & { onFailures?: "ask" | "partial" };

/** The parts of a choreography that its nodes share. */
export interface Setup {
  name: string;
  code: Code;
  conditions: Conditions;
  contextOf(config: Config): ChoreographyContext;
  /** Returns the input of a listener that has been woken. */
  inputOf(listener: Listener, wake: Wake, state: ChoreographyValues): unknown;
  /** Returns the events in the result of a listener. `input` is the input that the listener got. Throws if the result is invalid. */
  emissionsOf(listener: Listener, result: unknown, input: unknown): Emission[];
  /** Returns an update of the pattern's own state keys. The node `publish` calls this function with the new events. */
  fold?(state: ChoreographyValues, events: Event[]): object;
  /** Returns the output schema of a listener's agent. `output` is the agent's own schema. */
  shapeOf?(listener: Listener, output: z.ZodType | undefined): z.ZodType | undefined;
  /** Returns the values that the condition `until` sees in addition to the task and the board. */
  factsOf?(state: ChoreographyValues): Record<string, unknown>;
  /**
   * Returns which listeners are woken if several are due: all of them, the one with the highest priority, or the one that the judge names.
   * Without this function, all of them are woken.
   */
  controlOf?(context: ChoreographyContext): "all" | "priority" | "judge";
  /** Returns the rule that decides between several values that were written to one key at the same time. Default: the last one is kept. */
  ruleOf?(context: ChoreographyContext): ConflictRule;
  /**
   * Tells whether the judge must answer the questions in `until` now, although more listeners can be woken. Without this function, the
   * judge answers them again after each new event in the log. When no more listeners can be woken, the judge answers them in any case.
   */
  isJudgeDue?(state: ChoreographyValues): boolean;
}

/** Finds the listeners that events wake now. Ends the run if the condition `until` holds or a limit is reached. */
export const match = (setup: Setup) => (state: ChoreographyValues, config: Config) => {
  const context = setup.contextOf(config);
  const ending = (stopped: ChoreographyValues["stopped"]) => ({ pending: [], stopped });
  if (state.stopped) return { pending: [] };
  if (hasFailed(state, context)) return context.onFailures === "partial" ? ending("failures") : { pending: [] };
  if (untilQuestions(setup, state).length > 0) return { pending: [] };
  if (isReached(setup, state)) return ending("until");
  if (candidates(setup, state, context).length > 0) return { pending: [] };
  const control = setup.controlOf?.(context) ?? "all";
  const { pending, again, looks } = dueWakes(state, setup.conditions, control === "all" ? context.limits.parallel : 1);
  const chain = limitReached(state, pending);
  if (chain) return { ...ending("limit"), chain: chain.map(({ seq }) => seq) };
  return { pending, again, looks, chosen: null };
};

const hasFailed = ({ failed }: ChoreographyValues, { limits }: ChoreographyContext) => failed.length >= limits.failures;

const untilPlace = ({ events }: ChoreographyValues) => `until@${events.length}`;

/** Returns the questions in the condition `until` that the judge must answer before more listeners are woken. */
function untilQuestions({ conditions, isJudgeDue, factsOf }: Setup, state: ChoreographyValues): Question[] {
  const { until, answers } = state;
  if (!until || "code" in until) return [];
  const place = untilPlace(state);
  const open = questionsIn(until).filter(({ ask }) => !answers[place]?.[ask]);
  if (open.length === 0 || (isJudgeDue?.(state) === false && !isQuiet(state, conditions))) return [];
  const input = { ...valuesOf(state), ...factsOf?.(state) };
  return open.map((question) => ({ ...question, place, input }));
}

const isQuiet = (state: ChoreographyValues, conditions: Conditions): boolean =>
  dueWakes(state, conditions, 1).pending.length === 0 && openQuestions(state, conditions).length === 0;

function isReached({ conditions, factsOf }: Setup, state: ChoreographyValues): boolean {
  const { until, answers } = state;
  if (!until) return false;
  const values = { ...valuesOf(state), ...factsOf?.(state) };
  return "code" in until ? (conditions.get(until.code)?.(values) ?? false) : evaluate(until, values, answers[untilPlace(state)]).holds;
}

/** Returns the listeners among which the judge must choose the next one. Returns an empty list if the judge has nothing to choose. */
function candidates({ controlOf, conditions }: Setup, state: ChoreographyValues, context: ChoreographyContext): string[] {
  if (controlOf?.(context) !== "judge" || typeof state.chosen === "string") return [];
  const due = new Set(dueWakes(state, conditions, Number.POSITIVE_INFINITY).pending.map(({ listener }) => listener));
  return due.size > 1 ? [...due] : [];
}

/** Returns the next nodes after `match`: work, questions to the judge, a question to a person, or the end. */
export const next = (setup: Setup) => (state: ChoreographyValues, config: Config) => {
  const context = setup.contextOf(config);
  if (state.stopped) return "conclude";
  if (hasFailed(state, context)) return "askAboutFailures";
  const untilOpen = state.pending.length > 0 ? [] : untilQuestions(setup, state);
  const questions = untilOpen.length > 0 ? untilOpen : openQuestions(state, setup.conditions);
  const choices = state.pending.length > 0 || untilOpen.length > 0 ? [] : candidates(setup, state, context);
  if (state.pending.length === 0 && questions.length === 0 && choices.length === 0) return "conclude";
  enforceBudget(state.ledger, context.budget);
  const budget = budgetLeft(state.ledger, context.budget);
  if (choices.length > 0) return [new Send("choose", { names: choices, input: valuesOf(state), budget })];
  const work = state.pending.map((wake, stage) => new Send("react", { ...tryOf(setup, wake, state), stage, budget } satisfies Try));
  const room = Math.max(0, context.limits.parallel - work.length);
  return [...work, ...questions.slice(0, room).map((question) => new Send("decide", { ...question, budget }))];
};

/** Returns the next nodes after `publish`: `arbitrate` for conflicts on the board, or `match` if there are none. */
export const afterPublish = (setup: Setup) => (state: ChoreographyValues, config: Config) => {
  const context = setup.contextOf(config);
  if (!state.conflicts?.length) return "match";
  enforceBudget(state.ledger, context.budget);
  const budget = budgetLeft(state.ledger, context.budget);
  return state.conflicts.slice(0, context.limits.parallel).map((conflict) => new Send("arbitrate", { conflict, budget }));
};

/** The input of the node `react`: one try of a listener. */
interface Try {
  wake: Wake;
  listener: Listener;
  do: Doing;
  input: unknown;
  versions: Record<string, number> | undefined;
  agents: Surroundings["agents"];
  advice: string;
  /** The number of parallel listeners that start before this listener. The starts are `limits.stageMs` apart. */
  stage: number;
  budget: ChoreographyContext["budget"];
}

function tryOf(setup: Setup, wake: Wake, state: ChoreographyValues): Omit<Try, "stage" | "budget"> {
  const listener = state.listeners.find(({ name }) => name === wake.listener) as Listener;
  const keys = listener.writes?.map((key): [string, number] => [key, state.marks?.[key]?.version ?? 0]);
  return {
    ...{ wake, listener, agents: state.agents, advice: state.advice },
    do: replacePaths(listener.do, { ...valuesOf(state, state.events[(wake.by.at(-1) ?? 0) - 1]) }) as Doing,
    input: setup.inputOf(listener, wake, state),
    versions: keys && Object.fromEntries(keys),
  };
}

/** Runs the work of one listener once. The result stays in the state until `publish` processes the results of all parallel listeners. */
export const react = (setup: Setup) => async (sent: Try, config: Config) => {
  const { wake, listener, advice, stage, budget, versions } = sent;
  const context = { ...setup.contextOf(config), budget };
  const startedAt = Date.now();
  await sleep(stage * context.limits.stageMs, undefined, { signal: config.signal });
  const shape = setup.shapeOf && ((output: z.ZodType | undefined) => setup.shapeOf?.(listener, output));
  const errand = {
    ...{ name: listener.name, do: sent.do, input: sent.input, timeoutSeconds: listener.timeoutSeconds, shape },
    notes: [advice, wake.error ? `The last try failed: ${wake.error}` : ""].filter((note) => note !== ""),
    speaks: listener.speaks ?? false,
  };
  const outcome = await perform(errand, { pattern: setup.name, code: setup.code, agents: sent.agents, context }, config);
  const times = { startedAt: new Date(startedAt).toISOString(), elapsedMs: Date.now() - startedAt };
  const reaction: Reaction = { ...wake, ...resultOf(setup, sent, outcome), ...times, ...(versions && { versions }) };
  report(config, setup.name, "reaction", startedAt, { listener: listener.name, by: wake.by, status: reaction.status });
  return { reactions: [reaction], ledger: outcome.ledger };
};

function resultOf(setup: Setup, { listener, input }: Try, outcome: Outcome) {
  const { status } = outcome;
  if (status !== "success") return { status, error: outcome.error, isFatal: outcome.isFatal, emissions: [] };
  try {
    const emissions = setup.emissionsOf(listener, outcome.result ?? null, input);
    const message = listener.speaks && outcome.message ? { message: outcome.message } : {};
    return { status, isFatal: false, emissions, ...message };
  } catch (error) {
    return { status: "failed" as const, isFatal: false, emissions: [], error: (error as Error).message };
  }
}

/** Turns the results of the parallel listeners into events, numbers the events, and appends them to the log. */
export const publish = (setup: Setup) => (state: ChoreographyValues, config: Config) => {
  const { events, ...lists } = publishAll(state, setup.ruleOf?.(setup.contextOf(config)) ?? "last");
  for (const { seq, type, from, payload } of events) {
    const isChange = keyOf(type) !== undefined;
    report(config, setup.name, isChange ? type : "event", Date.now(), { seq, from, ...(isChange ? { value: payload } : { event: type }) });
  }
  const emptied = { reactions: new Overwrite([]), decided: new Overwrite([]) };
  return { events, ...lists, ...emptied, ...setup.fold?.(state, events) };
};

/**
 * Asks a person what to do about too many failures. The person may retry, with or without new instructions, or accept the result so far.
 */
export const askAboutFailures = (setup: Setup) => (state: ChoreographyValues, config: Config) => {
  const { askTimeoutSeconds: timeoutSeconds = null } = setup.contextOf(config);
  const prompt = `${state.events.length} events so far; failed: ${state.failed.map(({ listener, error }) => `${listener} (${error})`).join(", ")}.`;
  const choice = askAnswer(prompt, ["retry", "adjust", "accept"], { timeoutSeconds });
  const advice = choice === "adjust" ? askAnswer("What should be done differently?", undefined, { timeoutSeconds }) : state.advice;
  if (choice === undefined || choice === "accept" || advice === undefined) return { stopped: "failures" as const };
  return { again: state.failed.map(({ listener, by }) => ({ listener, by, tries: 0 })), failed: [], advice };
};
