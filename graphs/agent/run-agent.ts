import { type AIMessage, HumanMessage } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import type { Agent } from "./agent.ts";
import { type AgentRun, calledBy } from "./agent-run.ts";
import type { AgentValues } from "./agent-state.ts";
import { buildAgent } from "./build.ts";
import { callModel, isRefusal, NoAnswer } from "./call-model.ts";
import { BudgetExceeded, enforceBudget, entryOf, type LedgerEntry } from "./ledger.ts";
import { openModel, UnknownModel } from "./models.ts";
import { muted } from "./muted.ts";
import { asText, type Errand, instructionOf, PromptTooLong, taskOf } from "./prompt.ts";
import { type AnswerSchema, readAnswer } from "./structured.ts";

/** The outcome of an errand. A failure is also an outcome: it never fails its siblings. */
export type Outcome<Result = unknown> = Success<Result> | Failure;

interface Failure {
  status: "failed" | "timeout";
  error: string;
  /** Whether another try must fail in the same way. */
  isFatal: boolean;
  ledger: LedgerEntry[];
}

export interface Success<Result> {
  status: "success";
  result: Result;
  /** The last message of the agent. A pattern that appends it to its own messages repeats nothing that followers have read. */
  message?: AIMessage;
  /** The reason of an early answer, such as `step_limit`. */
  stopped?: string;
  ledger: LedgerEntry[];
}

/** A piece of work for an agent, and what the run allows. */
export interface Assignment extends Errand, Omit<AgentRun, "task" | "constraints" | "record" | "quiet"> {
  /** Whether the agent's tokens are hidden from followers. They are, unless this is false. */
  quiet?: boolean;
}

/**
 * Gives an agent one piece of work and returns the outcome. An agent with tools runs as a subgraph: each of its rounds is a checkpoint, and
 * a crash repeats no finished tool call. So call this once in a node. An abort of the run, a question to a person and a budget that is used
 * up are not outcomes, so they are thrown.
 */
export async function runAgent<Result = unknown>(assignment: Assignment, config: LangGraphRunnableConfig): Promise<Outcome<Result>> {
  const { agent, task } = assignment;
  enforceBudget(assignment.earlier ?? [], assignment.budget);
  const recorded: LedgerEntry[] = [];
  const run: AgentRun = { quiet: true, ...assignment, record: (entries) => void recorded.push(...entries) };
  const started = Date.now();
  const deadline = AbortSignal.timeout(Math.ceil(agent.errandSeconds * 1000));
  const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
  try {
    const done = await work(run, assignment, { ...config, signal });
    return { status: "success", ...done, result: done.result as Result };
  } catch (error) {
    config.signal?.throwIfAborted();
    const cause = rootOf(error);
    if (isNotAnOutcome(cause)) throw cause;
    const { status, message } = deadline.aborted ? overdue(agent) : { status: statusOf(cause), message: cause.message };
    const failed = recorded.some(({ outcome }) => outcome !== "success");
    if (!failed) recorded.push(entryOf({ ...calledBy(run, started), task }, status, 0, { inputTokens: 0, outputTokens: 0 }, message));
    return { status, error: message, isFatal: !deadline.aborted && isFatal(cause), ledger: recorded };
  }
}

/** Makes a call that the run cannot do without. Its failure fails the run. Without a schema the result is a text. */
export async function requireAgent<Schema extends z.ZodType = z.ZodString>(
  { schema, ...assignment }: Assignment & { schema?: Schema },
  config: LangGraphRunnableConfig,
): Promise<Success<z.infer<Schema>>> {
  const outcome = await runAgent<z.infer<Schema>>({ ...assignment, agent: { ...assignment.agent, output: schema } }, config);
  if (outcome.status === "success") return outcome;
  throw failureOf(assignment.agent, outcome);
}

/** Returns the error that ends a run in which an agent failed. */
export const failureOf = ({ name }: Agent, { status, error }: { status: string; error: string }): Error =>
  new Error(`The ${name} ${status === "timeout" ? "took too long" : "failed"}: ${error}`);

type Done = Omit<Success<unknown>, "status">;

async function work(run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { agent } = run;
  if (agent.graph) return await workByGraph(run, errand, config);
  return agent.tools.length > 0 || agent.middleware.length > 0 ? workInRounds(run, errand, config) : answerAtOnce(run, errand, config);
}

/** Makes one model call. Without tools there are no rounds to store, so no subgraph is needed. */
async function answerAtOnce(run: AgentRun, errand: Errand, { signal }: LangGraphRunnableConfig): Promise<Done> {
  const { agent, limits, quiet } = run;
  const started = Date.now();
  const called = calledBy(run, started);
  try {
    const { message, result, attempts, usage } = await callModel({
      model: await openModel(agent.model ?? run.model, agent.temperature ?? run.temperature),
      system: instructionOf(agent, errand.constraints ?? [], limits),
      messages: [new HumanMessage(taskOf(errand, limits))],
      ...(agent.output && { answer: answerOf(agent.name, agent.output) }),
      timeoutSeconds: agent.timeoutSeconds,
      retries: agent.retries,
      quiet,
      signal,
    });
    return { result: agent.output ? result : message.text, message, ledger: [entryOf(called, "success", attempts, usage)] };
  } catch (error) {
    if (error instanceof NoAnswer) run.record?.([entryOf(called, error.status, error.attempts, error.usage, error.message)]);
    throw error;
  }
}

/** Runs the agent's own graph below the present node. */
async function workInRounds(run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { agent, limits } = run;
  const input = { messages: [new HumanMessage(taskOf(errand, limits))] };
  const values = await graphOf(agent).invoke(input as never, {
    ...config,
    recursionLimit: undefined,
    context: { ...run, constraints: errand.constraints } as never,
  });
  const { messages, stopped, ledger } = values as unknown as AgentValues & { messages: AIMessage[] };
  const message = messages.at(-1);
  const done = { message, ...(stopped && { stopped }), ledger };
  if (!agent.output) return { ...done, result: message?.text ?? "" };
  const read = readAnswer(message?.text ?? "", answerOf(agent.name, agent.output));
  if ("problem" in read) throw new Error(read.problem);
  return { ...done, result: read.result };
}

/** Runs a graph that works in an agent's place. Its result is its structured response, or the text of its last message. */
async function workByGraph({ agent, limits, quiet }: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const input = { messages: [new HumanMessage(taskOf(errand, limits))] };
  const values = Object((await agent.graph?.invoke(input, { ...(quiet ? muted(config) : config), context: undefined })) ?? {});
  const message: AIMessage | undefined = values.messages?.at(-1);
  const result = values.structuredResponse ?? message?.text ?? values;
  const ledger = Array.isArray(values.ledger) ? (values.ledger as LedgerEntry[]) : [];
  const done = { message, ...(typeof values.stopped === "string" && { stopped: values.stopped }), ledger };
  if (!agent.output) return { ...done, result };
  const read = readAnswer(asText(result), answerOf(agent.name, agent.output));
  if ("problem" in read) throw new Error(`The result of "${agent.name}" cannot be used: ${read.problem}`);
  return { ...done, result: read.result };
}

const answerOf = (name: string, schema: z.ZodType): AnswerSchema => ({ name, schema });

/** The graph of agents without middleware of their own. What differs between them is in the context. */
const commonGraph = () => buildAgent({ name: "agent", runOf: (context) => context as AgentRun });
let common: ReturnType<typeof commonGraph> | undefined;
const graphs = new WeakMap<readonly unknown[], ReturnType<typeof commonGraph>>();

function graphOf({ middleware }: Agent) {
  if (middleware.length === 0) {
    common ??= commonGraph();
    return common;
  }
  const built = graphs.get(middleware) ?? buildAgent({ name: "agent", middleware, runOf: (context) => context as AgentRun });
  graphs.set(middleware, built);
  return built;
}

const overdue = ({ errandSeconds }: Agent) => ({ status: "timeout" as const, message: `Not done within ${errandSeconds} s.` });

/** Returns the error at the bottom. LangChain wraps errors of middleware in errors of its own. */
function rootOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return "~brand" in error && error.cause instanceof Error ? rootOf(error.cause) : error;
}

const statusOf = (error: Error) => (error instanceof NoAnswer ? error.status : "failed");

/** Tells whether another try must fail in the same way: a refused request, a bad key, a model that does not exist. */
function isFatal(error: Error): boolean {
  if (error instanceof NoAnswer) return error.isFatal;
  return error instanceof UnknownModel || error instanceof PromptTooLong || isRefusal(Object(error).status);
}

const isNotAnOutcome = (error: Error) => error instanceof BudgetExceeded || error.name === "BudgetExceededError" || isBubble(error);

/** Tells whether LangGraph uses this error to stop or to leave a graph. */
const isBubble = (error: Error) => "is_bubble_up" in error && error.is_bubble_up === true;
