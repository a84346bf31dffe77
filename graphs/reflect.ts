import { END, type LangGraphRunnableConfig, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  type Agent,
  answerWith,
  appending,
  asAgent,
  asText,
  beginTask,
  fail,
  failing,
  failureOf,
  guarded,
  ledgerState,
  type Member,
  measured,
  type Outcome,
  orFail,
  patternContext,
  report,
  runAgent,
  taskInput,
  taskOf,
  taskState,
  tierOf,
} from "ensemble/patterns";
import { z } from "zod";
import { usualCritic, usualWriter } from "./reflect/prompts.ts";

const usualCriteria = ["clear", "correct", "complete"];

const criteriaWith = (usual: string[] = []) =>
  z.array(z.string().min(1)).default(usual).describe("Criteria for the text. Without any: clear, correct and complete.");

const Critique = z.object({
  valid: z.boolean().describe("Whether the draft meets every criterion"),
  score: z.number().min(0).max(1).describe("How good it is, 1 being flawless"),
  problems: z
    .array(z.object({ what: z.string().describe("What is wrong"), fix: z.string().describe("How to fix it") }))
    .describe("Empty when the draft is valid"),
});
const Round = Critique.extend({ draft: z.string().describe("Draft that was judged") });

const State = new StateSchema({
  ...taskState,
  criteria: criteriaWith(),
  draft: z.string().default("").describe("Current draft"),
  rounds: appending(Round, "Every draft with its critique"),
  result: z.string().nullable().default(null).describe("Valid draft with the best score, else the draft with the best score"),
  valid: z.boolean().default(false).describe("Whether the result meets every criterion"),
  stopped: z.enum(["writer_failed", "critic_failed"]).nullable().default(null).describe("Why the run ended early. Null if it did not."),
  ...ledgerState,
});
const { result, valid, stopped, rounds, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ result, valid, stopped, rounds, ledger, metrics, messages });

const shape = {
  maxRounds: z.number().int().min(1).max(10).default(3).describe("Maximum number of critiques"),
  timeoutSeconds: z.number().positive().max(3_600).optional().describe("Timeout of each model call. Default: the agent's, which is 60."),
};
const contextFor = (agents: Agent[], defaults: object) => patternContext(shape, defaults, agents);
type Context = ReturnType<typeof contextFor>;

/** The options of `reflect`: the writer, the critic, the default criteria, and defaults for the context of a run. */
export type ReflectOptions = z.input<Context> & { writer?: Member; critic?: Member; criteria?: string[] };

type Setup = { writer: Agent; critic: Agent; contextOf: (config: Config) => z.output<Context> };
type Config = LangGraphRunnableConfig<z.input<Context>>;
type Values = typeof State.State;

/** Begins a run by clearing the values that an earlier run left on the thread. */
function begin(state: Values) {
  const cleared = { draft: "", result: null, valid: false, stopped: null };
  return { ...beginTask(state), ...cleared, rounds: new Overwrite([]), ledger: new Overwrite([]) };
}

/** Writes the first draft, or a revision that fixes the problems that the critic has found. */
const write =
  ({ writer, contextOf }: Setup) =>
  async (state: Values, config: Config) => {
    const startedAt = Date.now();
    const { criteria, rounds, draft, ledger: earlier } = state;
    const context = contextOf(config);
    const agent = { ...writer, output: undefined, timeoutSeconds: context.timeoutSeconds ?? writer.timeoutSeconds };
    const problems = rounds.at(-1)?.problems.map(({ what, fix }) => `${what} Fix: ${fix}`);
    const revision = { task: `Revise the draft. The task was: ${taskOf(state)}`, input: { draft, problems } };
    const errand = { ...(draft ? revision : { task: taskOf(state) }), constraints: criteria, pattern: "reflect", earlier };
    const outcome = await runAgent({ ...tierOf(context, "worker"), ...errand, agent }, config);
    if (outcome.status !== "success") return endEarly("writer_failed", agent, outcome, state);
    report(config, "reflect", "draft", startedAt, { round: rounds.length + 1 });
    return { draft: asText(outcome.result), ledger: outcome.ledger };
  };

const judge =
  ({ critic, contextOf }: Setup) =>
  async (state: Values, config: Config) => {
    const startedAt = Date.now();
    const { criteria, rounds, draft, ledger: earlier } = state;
    const context = contextOf(config);
    const agent = { ...critic, output: Critique, timeoutSeconds: context.timeoutSeconds ?? critic.timeoutSeconds };
    const constraints = criteria.length > 0 ? criteria : usualCriteria;
    const errand = { task: `Judge this draft. The task was: ${taskOf(state)}`, input: draft, constraints, pattern: "reflect", earlier };
    const outcome = await runAgent<z.infer<typeof Critique>>({ ...tierOf(context, "judge"), ...errand, agent }, config);
    if (outcome.status !== "success") return endEarly("critic_failed", agent, outcome, state);
    const { valid, score } = outcome.result;
    report(config, "reflect", "critique", startedAt, { round: rounds.length + 1, valid, score });
    return { rounds: [{ ...outcome.result, draft }], ledger: outcome.ledger };
  };

/** Ends the run with the best draft so far. If no draft has been judged yet, the run fails. */
function endEarly(stopped: Values["stopped"], agent: Agent, outcome: Exclude<Outcome, { status: "success" }>, { rounds }: Values) {
  if (rounds.length === 0) throw failureOf(agent, outcome);
  return { stopped, ledger: outcome.ledger };
}

/**
 * Returns the valid draft with the best score. If no draft is valid, returns the draft with the best score. Of two drafts with equal
 * scores, the later one wins.
 */
function choose({ rounds }: Values) {
  const valid = rounds.filter((round) => round.valid);
  const best = (valid.length > 0 ? valid : rounds).reduce((winner, round) => (round.score >= winner.score ? round : winner));
  return { result: best.draft, valid: best.valid, messages: answerWith(best.draft) };
}

const afterDraft = ({ stopped }: Values) => (stopped ? "choose" : "judge");
const nextRound =
  ({ contextOf }: Setup) =>
  ({ rounds, stopped }: Values, config: Config) =>
    stopped || rounds.at(-1)?.valid || rounds.length >= contextOf(config).maxRounds ? "choose" : "write";

/** Returns a graph that drafts a text, lets a critic judge the draft, and revises it. The result is the best valid draft. */
export function reflect({ writer, critic, criteria, ...defaults }: ReflectOptions = {}) {
  const agents = { writer: asAgent(writer ?? usualWriter), critic: asAgent(critic ?? usualCritic) };
  const Context = contextFor(Object.values(agents), defaults);
  const setup: Setup = { ...agents, contextOf: ({ context }) => Context.parse(context ?? {}) };
  return measured(
    guarded(
      new StateGraph({ state: State, input: taskInput({ criteria: criteriaWith(criteria) }), output: Output, context: Context })
        .addNode("begin", begin)
        .addNode("write", failing(write(setup)))
        .addNode("judge", failing(judge(setup)))
        .addNode("choose", choose)
        .addNode("fail", fail, { ends: [END] })
        .addEdge(START, "begin")
        .addEdge("begin", "write")
        .addConditionalEdges("write", orFail(afterDraft), ["judge", "choose", "fail"])
        .addConditionalEdges("judge", orFail(nextRound(setup)), ["write", "choose", "fail"])
        .addEdge("choose", END)
        .compile({ name: "reflect" }),
    ),
  );
}

export const graph = reflect();
