import { HumanMessage } from "@langchain/core/messages";
import { END, type GraphNode, isGraphBubbleUp, isInterrupted, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { mostSuperSteps, wide } from "./kit/context.ts";
import { BudgetExceeded, budgetLeft, enforceBudget, Ledger, type LedgerEntry } from "./kit/ledger.ts";
import { report } from "./kit/progress.ts";
import { requireAgent } from "./kit/require.ts";
import { appending } from "./kit/state.ts";
import { Task } from "./kit/task.ts";
import { Context as ReactContext, graph as react } from "./react.ts";

const mostSteps = 12;
const mostRevisions = 3;
const triesPerStep = 2;

const PlannedStep = z.object({ description: z.string().trim().min(1).describe("What is to be done, in one sentence") });
const Plan = z.object({ steps: z.array(PlannedStep).min(1).max(mostSteps).describe("In the order in which they are done") });

const Step = PlannedStep.extend({
  status: z.enum(["pending", "done", "failed"]).describe("Status of the step"),
  tries: z.number().int().describe("Number of tries"),
  result: z.string().nullable().describe("Result of the step, or the reason of its failure"),
});

const Reconsideration = z.object({
  decision: z.enum(["continue", "revise", "finish"]).describe("Go on as planned, change the steps that remain, or answer now"),
  reason: z.string().min(1),
  steps: z.array(PlannedStep).max(mostSteps).default([]).describe("With revise: the steps that remain from here on"),
});

const Revision = z.object({
  reason: z.string().describe("Reason of the change"),
  before: z.array(z.string()).describe("Remaining steps before the change"),
  after: z.array(z.string()).describe("Remaining steps after the change"),
});
const Answer = z.object({ answer: z.string().min(1), gaps: z.array(z.string()).describe("What could not be done or found out") });

const State = new StateSchema({
  task: Task.describe("Task to do"),
  plan: z
    .array(Step)
    .default(() => [])
    .describe("Steps with their results"),
  revisions: appending(Revision, "Every change of the plan, and why"),
  enough: z.boolean().default(false).describe("Set when the task can be answered without the remaining steps"),
  answer: z.string().nullable().default(null).describe("The answer"),
  gaps: z
    .array(z.string())
    .default(() => [])
    .describe("Gaps in the answer"),
  approve: ReactContext.shape.approve.describe("Tools that need approval in every step, whatever a resuming run's context says"),
  ledger: Ledger,
});

const { fields } = State;
/** The fields that a caller gives or sees. The rest of the state is internal. */
const Input = z.object({ task: fields.task });
const Output = new StateSchema({
  answer: fields.answer,
  gaps: fields.gaps,
  plan: fields.plan,
  revisions: fields.revisions,
  ledger: fields.ledger,
});

/** The react graph does the steps, with the same context. */
const Context = ReactContext;

type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];
type Steps = z.infer<typeof Step>[];

const planner = { name: "planner", role: "a planner", instructions: "Few steps, each of which can be checked.", weight: 1, retries: 2 };

/** Returns the options that all calls of the planner share. Its input holds the steps' results. */
function planning(config: Config, task: string, input?: unknown) {
  const { models, budget, limits: given, timeoutSeconds } = Context.parse(config.context ?? {});
  const limits = input === undefined ? given : wide(given);
  const { judge: model, temperature } = models;
  return { agent: { ...planner, timeoutSeconds }, model, temperature, task, input, limits, budget };
}

const pending = (steps: z.infer<typeof PlannedStep>[]): Steps =>
  steps.map((step) => ({ ...step, status: "pending", tries: 0, result: null }));
const nextIn = (plan: Steps) => plan.findIndex(({ status }) => status === "pending");
const resultsOf = (plan: Steps) =>
  plan.filter(({ status }) => status === "done").map(({ description, result }) => ({ description, result }));

/** Clears what an earlier run left on the thread. */
const plan: Node = async ({ task }, config) => {
  const outcome = await requireAgent(
    { ...planning(config, `Plan how to do this: ${task}`), answer: { name: "plan", schema: Plan } },
    config,
  );
  report(config, "plan-execute", "plan", Date.parse(outcome.entry.at), { steps: outcome.result.steps.length });
  return {
    plan: pending(outcome.result.steps),
    revisions: new Overwrite([]),
    enough: false,
    answer: null,
    gaps: [],
    approve: Context.parse(config.context ?? {}).approve,
    ledger: new Overwrite([outcome.entry]),
  };
};

/** Runs the react graph with the rest of the budget. It streams, so that the cost of a failed step is known. */
async function doStep(asked: string, { ledger: before, approve }: Pick<typeof State.State, "ledger" | "approve">, config: Config) {
  const context = Context.parse(config.context ?? {});
  const left = { ...context, approve: [...approve, ...context.approve], budget: budgetLeft(before, context.budget) };
  const input = { messages: [new HumanMessage(asked)] };
  let ledger: LedgerEntry[] = [];
  let result = "";
  try {
    for await (const values of await react.stream(input, { ...config, context: left, streamMode: "values" })) {
      if (isInterrupted(values)) continue;
      ledger = values.ledger;
      result = values.messages.at(-1)?.text ?? "";
    }
    return { result, ledger, failed: false };
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error; // a question to a person is not a failure
    if (error instanceof BudgetExceeded) {
      enforceBudget([...before, ...ledger], context.budget); // reports the cost of the whole run
      throw error;
    }
    config.signal?.throwIfAborted();
    return { result: (error as Error).message, ledger, failed: true };
  }
}

/** Does one step with the react graph, which sees only the results so far. A failure becomes the step's result. */
const execute: Node = async ({ task, plan, ledger, approve }, config) => {
  enforceBudget(ledger, Context.parse(config.context ?? {}).budget);
  const startedAt = Date.now();
  const index = nextIn(plan);
  const step = plan[index];
  if (!step) return {};
  const asked = `The whole task: ${task}\nResults so far: ${JSON.stringify(resultsOf(plan))}\nDo only this step: ${step.description}`;
  const outcome = await doStep(asked, { ledger, approve }, config);
  const tries = step.tries + 1;
  const status = outcome.failed ? (tries < triesPerStep ? "pending" : "failed") : "done";
  report(config, "plan-execute", "step", startedAt, { step: index + 1, of: plan.length, status });
  return { plan: plan.with(index, { ...step, tries, status, result: outcome.result }), ledger: outcome.ledger };
};

/** Reviews the plan after each step. A step that failed for good forces a change. */
const reconsider: Node = async ({ task, plan, revisions, ledger }, config) => {
  const startedAt = Date.now();
  const next = nextIn(plan);
  const forced = next !== 0 && plan[(next < 0 ? plan.length : next) - 1]?.status === "failed";
  const mayRevise = revisions.length < mostRevisions;
  if (!mayRevise || (next < 0 && !forced)) return { enough: next < 0 };
  const rule = forced
    ? "A step has failed for good: revise the steps that remain, or finish."
    : "Continue unless the results call for something else.";
  const call = planning(config, `Reconsider the plan for: ${task}`, { plan });
  enforceBudget(ledger, call.budget);
  const { result, entry } = await requireAgent(
    { ...call, constraints: [rule], answer: { name: "reconsideration", schema: Reconsideration } },
    config,
  );
  report(config, "plan-execute", result.decision, startedAt, { reason: result.reason });
  if (result.decision === "finish" || (forced && result.steps.length === 0)) return { enough: true, ledger: [entry] };
  if (result.decision === "continue") return { ledger: [entry] };
  const past = plan.filter(({ status }) => status !== "pending");
  const revision = {
    reason: result.reason,
    before: descriptions(plan.filter(({ status }) => status === "pending")),
    after: descriptions(result.steps),
  };
  return { plan: [...past, ...pending(result.steps)].slice(0, past.length + mostSteps), revisions: [revision], ledger: [entry] };
};

const descriptions = (steps: z.infer<typeof PlannedStep>[]) => steps.map(({ description }) => description);

const answer: Node = async ({ task, plan, ledger }, config) => {
  const failed = plan.filter(({ status }) => status === "failed").map(({ description, result }) => `${description}: ${result}`);
  const call = planning(config, `Answer the task from the results: ${task}`, { results: resultsOf(plan), failed });
  enforceBudget(ledger, call.budget);
  const { result, entry } = await requireAgent({ ...call, answer: { name: "answer", schema: Answer } }, config);
  return { answer: result.answer, gaps: [...new Set([...failed, ...result.gaps])], ledger: [entry] };
};

const goOn = ({ plan, enough }: typeof State.State) => (enough || nextIn(plan) < 0 ? "answer" : "execute");

/** Plans, does the steps one by one, reviews the plan after each, and answers. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("planSteps", plan)
  .addNode("execute", execute)
  .addNode("reconsider", reconsider)
  .addNode("conclude", answer)
  .addEdge(START, "planSteps")
  .addEdge("planSteps", "execute")
  .addEdge("execute", "reconsider")
  .addConditionalEdges("reconsider", goOn, { answer: "conclude", execute: "execute" })
  .addEdge("conclude", END)
  .compile({ name: "plan-execute" })
  .withConfig({ recursionLimit: mostSuperSteps });
