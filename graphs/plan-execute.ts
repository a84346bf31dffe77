import { END, type LangGraphRunnableConfig, Overwrite, START, StateGraph } from "@langchain/langgraph";
import {
  type Agent,
  agent,
  answerWith,
  asAgent,
  beginTask,
  fail,
  failing,
  guarded,
  type Member,
  measured,
  mostSuperSteps,
  orFail,
  patternContext,
  report,
  requireAgent,
  runAgent,
  solverContext,
  taskOf,
  tierOf,
} from "ensemble/patterns";
import type { z } from "zod";
import { change, nextIn, Plan, pending, reconsideration, resultsOf, ruleFor, tried } from "./plan-execute/plan.ts";
import { Input, Output, State, type Values } from "./plan-execute/state.ts";

const planner = agent({ name: "planner", role: "a planner", instructions: "Few steps, each of which can be checked." });
const instructions = "You do one step of a task. Use a tool when it helps; answer when you know.";
const solver = agent({ name: "react", role: "an agent that solves tasks", instructions, timeoutSeconds: 60 });

const contextFor = (worker: Agent, defaults: object) => patternContext(solverContext, defaults, [worker]);
type Context = ReturnType<typeof contextFor>;

/** The options of `planExecute`: the agent that does the steps, and defaults for the context of a run. */
export type PlanExecuteOptions = z.input<Context> & { agent?: Member };

type Setup = { worker: Agent; contextOf: (config: Config) => z.output<Context> };
type Config = LangGraphRunnableConfig<z.input<Context>>;

/** Returns the settings that all calls of the planner share. */
function planning({ contextOf }: Setup, config: Config, earlier: Values["ledger"]) {
  const context = contextOf(config);
  return { ...tierOf(context, "judge"), agent: { ...planner, timeoutSeconds: context.timeoutSeconds }, pattern: "plan-execute", earlier };
}

/** Makes the plan, and clears the values that an earlier run left on the thread. */
const planSteps = (setup: Setup) => async (state: Values, config: Config) => {
  const startedAt = Date.now();
  const begun = beginTask(state);
  const call = { ...planning(setup, config, []), task: `Plan how to do this: ${begun.task}`, schema: Plan };
  const { result, ledger } = await requireAgent(call, config);
  report(config, "plan-execute", "plan", startedAt, { steps: result.steps.length });
  const cleared = { revisions: new Overwrite([]), enough: false, answer: null, gaps: [], ledger: new Overwrite(ledger) };
  return { ...begun, ...cleared, plan: pending(result.steps), approve: setup.contextOf(config).approve };
};

/**
 * Does one step. The agent sees the step, the task and the results so far. If the agent fails, the step records the failure and the run
 * continues.
 */
const execute =
  ({ worker, contextOf }: Setup) =>
  async (state: Values, config: Config) => {
    const startedAt = Date.now();
    const { plan, approve, ledger: earlier } = state;
    const index = nextIn(plan);
    const step = plan[index];
    if (!step) return {};
    const context = contextOf(config);
    const { instructions, stepLimit: maxRounds, timeoutSeconds } = context;
    const granted = { tools: [...worker.tools, ...context.tools], approve: [...worker.approve, ...approve, ...context.approve] };
    const agent = { ...worker, ...granted, instructions, maxRounds, timeoutSeconds };
    const input = { wholeTask: taskOf(state), results: resultsOf(plan, "done"), ...(step.result && { failedBefore: step.result }) };
    const errand = { task: `Do only this step: ${step.description}`, input, pattern: "plan-execute", earlier };
    const outcome = await runAgent({ ...tierOf(context, "worker"), ...errand, agent }, config);
    const after = tried(step, outcome);
    report(config, "plan-execute", "step", startedAt, { step: index + 1, of: plan.length, status: after.status });
    return { plan: plan.with(index, after), ledger: outcome.ledger };
  };

/**
 * Asks the planner whether to change the plan. If the planner fails, the plan is kept. If the planner fails after a step has failed for
 * good, the run does no more steps and answers.
 */
const reconsider = (setup: Setup) => async (state: Values, config: Config) => {
  const startedAt = Date.now();
  const { plan, revisions, ledger: earlier } = state;
  const isForced = plan.findLast(({ status }) => status !== "pending")?.status === "failed";
  const output = reconsideration(isForced, revisions.length);
  if (nextIn(plan) < 0 && !(isForced && output.shape.decision.options.includes("revise"))) return {};
  const call = planning(setup, config, earlier);
  const errand = { task: `Reconsider the plan for: ${taskOf(state)}`, input: { plan }, constraints: [ruleFor(isForced)] };
  const outcome = await runAgent<z.infer<typeof output>>({ ...call, ...errand, agent: { ...call.agent, output } }, config);
  if (outcome.status !== "success") return { enough: isForced, ledger: outcome.ledger };
  report(config, "plan-execute", outcome.result.decision, startedAt, { reason: outcome.result.reason });
  return { ...change(plan, outcome.result), ledger: outcome.ledger };
};

/** Answers the task from the results of the steps. The tokens of the answer are streamed. */
const conclude = (setup: Setup) => async (state: Values, config: Config) => {
  const [done, failed] = [resultsOf(state.plan, "done"), resultsOf(state.plan, "failed")];
  const errand = { task: `Answer the task from the results: ${taskOf(state)}`, input: { results: done, failed }, quiet: false };
  const { result, message, ledger } = await requireAgent({ ...planning(setup, config, state.ledger), ...errand }, config);
  const gaps = failed.map(({ description, result: reason }) => `${description}: ${reason}`);
  return { answer: result, gaps, messages: answerWith(result, message), ledger };
};

/**
 * Returns the node that follows a step. A step that failed and has a try left runs again without a question to the planner. Otherwise, the
 * planner is asked.
 */
const afterStep = ({ plan }: Values) => ((plan[nextIn(plan)]?.tries ?? 0) > 0 ? "execute" : "reconsider");
const goOn = ({ plan, enough }: Values) => (enough || nextIn(plan) < 0 ? "conclude" : "execute");

/**
 * Returns a graph that plans a task and does the steps one by one. The graph reconsiders the plan after each step, and answers at the end.
 */
export function planExecute({ agent: member, ...given }: PlanExecuteOptions = {}) {
  const worker = member ? asAgent(member) : solver;
  const { instructions, maxRounds: stepLimit, timeoutSeconds } = worker;
  const Context = contextFor(worker, { instructions, stepLimit, timeoutSeconds, ...(member && { tools: [] }), ...given });
  const setup: Setup = { worker, contextOf: ({ context }) => Context.parse(context ?? {}) };
  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: Output, context: Context })
        .addNode("planSteps", failing(planSteps(setup), { begins: () => true }))
        .addNode("execute", failing(execute(setup)))
        .addNode("reconsider", failing(reconsider(setup)))
        .addNode("conclude", failing(conclude(setup)))
        .addNode("fail", fail, { ends: [END] })
        .addEdge(START, "planSteps")
        .addConditionalEdges(
          "planSteps",
          orFail(() => "execute"),
          ["execute", "fail"],
        )
        .addConditionalEdges("execute", orFail(afterStep), ["execute", "reconsider", "fail"])
        .addConditionalEdges("reconsider", orFail(goOn), ["execute", "conclude", "fail"])
        .addConditionalEdges(
          "conclude",
          orFail(() => END),
          [END, "fail"],
        )
        .compile({ name: "plan-execute" }),
    ),
  ).withConfig({ recursionLimit: mostSuperSteps });
}

export const graph = planExecute();
