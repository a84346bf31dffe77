import { HumanMessage } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import type { Agent } from "./agent.ts";
import { type AgentRun, calledBy } from "./agent-run.ts";
import { buildAgent } from "./build.ts";
import { callModel, NoAnswer } from "./call-model.ts";
import { BudgetExceeded, entryOf, type LedgerEntry } from "./ledger.ts";
import { openModel } from "./models.ts";
import { type Errand, instructionOf, taskOf } from "./prompt.ts";
import { type AnswerSchema, readAnswer } from "./structured.ts";

/** The outcome of an errand. A failure is also an outcome: it never fails its siblings. */
export type Outcome<Result = unknown> =
  | { status: "success"; result: Result; ledger: LedgerEntry[] }
  | { status: "failed" | "timeout"; error: string; ledger: LedgerEntry[] };

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
  const recorded: LedgerEntry[] = [];
  const run: AgentRun = { quiet: true, ...assignment, record: (entries) => void recorded.push(...entries) };
  const started = Date.now();
  const deadline = AbortSignal.timeout(Math.ceil(agent.errandSeconds * 1000));
  const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
  try {
    const { result, ledger } = await work(run, assignment, { ...config, signal });
    return { status: "success", result: result as Result, ledger };
  } catch (error) {
    config.signal?.throwIfAborted();
    const cause = rootOf(error);
    if (isNotAnOutcome(cause)) throw cause;
    const { status, message } = deadline.aborted ? overdue(agent) : { status: statusOf(cause), message: cause.message };
    const failed = recorded.some(({ outcome }) => outcome !== "success");
    if (!failed) recorded.push(entryOf({ ...calledBy(run, started), task }, status, 0, { inputTokens: 0, outputTokens: 0 }, message));
    return { status, error: message, ledger: recorded };
  }
}

/** Makes a call that the run cannot do without. Its failure fails the run. */
export async function requireAgent<Schema extends z.ZodType>(
  { schema, ...assignment }: Assignment & { schema: Schema },
  config: LangGraphRunnableConfig,
): Promise<{ result: z.infer<Schema>; ledger: LedgerEntry[] }> {
  const outcome = await runAgent<z.infer<Schema>>({ ...assignment, agent: { ...assignment.agent, output: schema } }, config);
  if (outcome.status === "success") return outcome;
  throw new Error(`The ${assignment.agent.name} ${outcome.status === "timeout" ? "took too long" : "failed"}: ${outcome.error}`);
}

interface Done {
  result: unknown;
  ledger: LedgerEntry[];
}

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
    return { result: agent.output ? result : message.text, ledger: [entryOf(called, "success", attempts, usage)] };
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
  const { messages, ledger } = values as unknown as { messages: { text: string }[]; ledger: LedgerEntry[] };
  const text = messages.at(-1)?.text ?? "";
  if (!agent.output) return { result: text, ledger };
  const read = readAnswer(text, answerOf(agent.name, agent.output));
  if ("problem" in read) throw new Error(read.problem);
  return { result: read.result, ledger };
}

/** Runs a graph that works in an agent's place. Its result is its structured response, or the text of its last message. */
async function workByGraph({ agent, limits }: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const input = { messages: [new HumanMessage(taskOf(errand, limits))] };
  const values = Object((await agent.graph?.invoke(input, { ...config, context: undefined })) ?? {});
  const text = values.messages?.at(-1)?.text;
  const result = values.structuredResponse ?? text ?? values;
  const ledger = Array.isArray(values.ledger) ? (values.ledger as LedgerEntry[]) : [];
  if (!agent.output) return { result, ledger };
  const parsed = agent.output.safeParse(result);
  if (!parsed.success) throw new Error(`The result of "${agent.name}" does not fit its schema.`);
  return { result: parsed.data, ledger };
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

const isNotAnOutcome = (error: Error) => error instanceof BudgetExceeded || error.name === "BudgetExceededError" || isBubble(error);

/** Tells whether LangGraph uses this error to stop or to leave a graph. */
const isBubble = (error: Error) => "is_bubble_up" in error && error.is_bubble_up === true;
