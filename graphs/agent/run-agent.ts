import { type AIMessage, type BaseMessage, SystemMessage } from "@langchain/core/messages";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import { accountOf, expectedCost } from "./account.ts";
import type { Agent, Workable } from "./agent.ts";
import { type AgentRun, calledBy, callerOf, purseOf } from "./agent-run.ts";
import type { AgentValues } from "./agent-state.ts";
import { buildAgent } from "./build.ts";
import { callModel } from "./call-model.ts";
import { AgentFailed, rootOf } from "./failing.ts";
import { GuardrailTripped, guardInput } from "./guards/input.ts";
import { outputGuards } from "./guards/output.ts";
import { wholeOutputGuards } from "./guards/present.ts";
import { knowledgeFor, taskIn, withKnowledge } from "./knowledge/knowledge.ts";
import { learn } from "./knowledge/learned.ts";
import { KnowledgeError } from "./knowledge/read-source.ts";
import { BudgetExceeded, enforceBudget, entryOf, type LedgerEntry } from "./ledger.ts";
import { boxOf } from "./metrics/call-box.ts";
import { executionOf } from "./metrics/executions.ts";
import { openCall } from "./metrics/open-call.ts";
import { isRefusal, NoAnswer } from "./model-errors.ts";
import { openModel, UnknownModel } from "./models.ts";
import { muted } from "./muted.ts";
import { withNeeds } from "./needs.ts";
import { asText, type Errand, instructionOf, openingOf, PromptTooLong } from "./prompt.ts";
import type { Proposal } from "./proposal.ts";
import { noteFailure, recordIn, withWait } from "./recording.ts";
import { type AnswerSchema, readAnswer } from "./structured.ts";
import { ledgerOf, runSubgraph } from "./subgraph.ts";

/** The result of an agent's work. A failure is returned as an outcome and not thrown, so that agents that work in parallel continue. */
export type Outcome<Result = unknown> = Success<Result> | Failure;

interface Failure {
  status: "failed" | "timeout";
  error: string;
  /** Whether a retry would fail in the same way. */
  isFatal: boolean;
  /**
   * The milliseconds for which the work waited for the resources in its own `needs`. The agent may have `needs` too, and the wait for them
   * is in the ledger.
   */
  waitedMs?: number;
  ledger: LedgerEntry[];
}

export interface Success<Result> {
  status: "success";
  result: Result;
  /**
   * The last message of the agent. A pattern may append this message to its own messages. The id stays the same, so clients see the message
   * once.
   */
  message?: AIMessage;
  /**
   * All messages that the agent added, including its tool calls and their results. The last one is `message`. Undefined for an agent
   * without tools.
   */
  added?: BaseMessage[];
  /** The tool calls that this agent proposes to the agent that called it, because their effect cannot be undone (tier 3). */
  proposed?: Proposal[];
  /** The reason why the agent answered early, such as `step_limit`. Undefined if it did not. */
  stopped?: string;
  /**
   * The milliseconds for which the work waited for the resources in its own `needs`. The agent may have `needs` too, and the wait for them
   * is in the ledger.
   */
  waitedMs?: number;
  ledger: LedgerEntry[];
}

/** A piece of work, the agent that does it, and the settings and limits of the run. */
export interface Assignment extends Errand, Omit<AgentRun, "task" | "constraints" | "record" | "resume" | "quiet" | "propose"> {
  /** Whether the agent's tokens are hidden from clients that stream the run. Default: true. */
  quiet?: boolean;
}

/**
 * Gives an agent one piece of work and returns the outcome. Throws only for an abort of the run, a question to a person, and a used-up
 * budget. An agent with tools runs as a subgraph. Each of its rounds is a checkpoint, so a crash repeats no finished tool call. For an
 * agent with tools, call this only once in a node, because the rounds are stored in the checkpoint namespace of the node.
 */
export async function runAgent<Result = unknown>(assignment: Assignment, config: LangGraphRunnableConfig): Promise<Outcome<Result>> {
  const { agent, task } = assignment;
  const account = assignment.account ?? accountOf(config);
  enforceBudget([...(assignment.earlier ?? []), ...account.ended], assignment.budget);
  const { recorded, ...recording } = recordIn(account);
  const run: AgentRun = { quiet: true, ...assignment, account, ...recording };
  executionOf(config); // the first call for an execution decides where stall events go, and they must not go to the agent's subgraph
  let started = Date.now();
  let waitedMs = 0;
  let deadline: AbortSignal | undefined;
  try {
    return await withNeeds(agent, config, async (ms) => {
      started = Date.now(); // the time limit of the errand starts when the agent has its resources
      waitedMs = ms;
      if (ms > 0) boxOf(config)?.waited(agent.name, ms);
      deadline = AbortSignal.timeout(Math.ceil(agent.errandSeconds * 1000));
      const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;
      const done = await work(run, assignment, { ...config, signal });
      const learned = await learn(run, { task, result: done.result, quality: done.stopped ?? "success" }, { ...config, signal });
      return {
        status: "success" as const,
        ...done,
        ledger: withWait([...done.ledger, ...learned], waitedMs),
        result: done.result as Result,
      };
    });
  } catch (error) {
    config.signal?.throwIfAborted();
    const cause = rootOf(error);
    if (cause.name === "BudgetExceededError") throw new BudgetExceeded(cause.message, recorded);
    if (isBubble(cause)) throw cause;
    const { status, message } = deadline?.aborted ? overdue(agent) : { status: statusOf(cause), message: cause.message };
    await learn(run, { task, result: message, quality: status }, config);
    const failed = recorded.some(({ outcome }) => outcome !== "success");
    if (!failed) recorded.push(noteFailure(run, { task, started, status, message }, config));
    return { status, error: message, isFatal: !deadline?.aborted && isFatal(cause), ledger: withWait(recorded, waitedMs) };
  }
}

/**
 * Calls an agent without whose answer the run cannot continue. If the agent fails, throws an error that ends the run. If `schema` is
 * undefined, the result is text.
 */
export async function requireAgent<Schema extends z.ZodType = z.ZodString>(
  { schema, ...assignment }: Assignment & { schema?: Schema },
  config: LangGraphRunnableConfig,
): Promise<Success<z.infer<Schema>>> {
  const outcome = await runAgent<z.infer<Schema>>({ ...assignment, agent: { ...assignment.agent, output: schema } }, config);
  if (outcome.status === "success") return outcome;
  throw failureOf(assignment.agent, outcome);
}

/** Returns the error that ends a run because an agent failed. */
export const failureOf = ({ name }: Agent, { status, error, ledger }: Failure): AgentFailed =>
  new AgentFailed(`The ${name} ${status === "timeout" ? "took too long" : "failed"}: ${error}`, ledger);

type Done = Omit<Success<unknown>, "status">;

async function work(run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { agent } = run;
  if (agent.graph) return await workByGraph(agent.graph, run, errand, config);
  const needsRounds =
    agent.tools.length > 0 || agent.middleware.length > 0 || (agent.contextTokens !== undefined && errand.messages !== undefined);
  return needsRounds ? workInRounds(run, errand, config) : answerAtOnce(run, errand, config);
}

/** Does the work of an agent without tools, with one model call. No subgraph is needed, because there are no rounds to store. */
async function answerAtOnce(run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { signal } = config;
  const { agent, limits } = run;
  const system = instructionOf(agent, errand.constraints ?? [], limits);
  const { messages: opening, ledger: judged } = await guardInput(run, openingOf(errand, limits), config);
  const messages = withKnowledge(opening, await knowledgeFor(run, taskIn(opening), config));
  const purse = purseOf(run, [], config);
  const expected = expectedCost(calledBy(run, 0), [new SystemMessage(system), ...messages], purse);
  const call = await openCall(callerOf(run), purse, expected, signal);
  const called = calledBy(run, Date.now());
  const spent: LedgerEntry[] = [];
  try {
    const model = await openModel(agent.model ?? run.model, agent.temperature ?? run.temperature);
    const request = {
      ...{ model, system, messages, signal, timeoutSeconds: agent.timeoutSeconds, retries: agent.retries },
      ...(agent.output && { answer: answerOf(agent.name, agent.output) }),
      ...outputGuards(run, config, judged),
    };
    const { message, result, attempts, usage } = await call.during(() => callModel(request));
    spent.push(entryOf(called, "success", attempts, usage));
    return { result: agent.output ? result : message.text, message, ledger: [...judged, ...spent] };
  } catch (error) {
    if (error instanceof NoAnswer) spent.push(entryOf(called, error.status, error.attempts, error.usage, error.message));
    run.record?.(spent);
    throw error;
  } finally {
    call.end(spent);
  }
}

/** Runs the agent's graph as a subgraph of the current node. */
async function workInRounds(run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { agent, limits } = run;
  const input = { messages: openingOf(errand, limits) };
  const values = await graphOf(agent).invoke(input as never, {
    ...config,
    recursionLimit: undefined,
    context: { ...run, constraints: errand.constraints } as never,
  });
  const { messages, stopped, ledger, steps } = values as unknown as AgentValues & { messages: AIMessage[] };
  const message = messages.at(-1);
  const proposed = steps.flatMap((step) => step.proposed ?? []);
  const opening = new Set(input.messages.map(({ id }) => id));
  const done = {
    message,
    added: messages.filter(({ id }) => !opening.has(id)),
    ...(stopped && { stopped }),
    ...(proposed.length > 0 && { proposed }),
    ledger,
  };
  if (!agent.output) return { ...done, result: message?.text ?? "" };
  const read = readAnswer(message?.text ?? "", answerOf(agent.name, agent.output));
  if ("problem" in read) throw new Error(read.problem);
  return { ...done, result: read.result };
}

/** Runs the graph that does an agent's work. The result is the graph's structured response, or the text of its last message. */
async function workByGraph(graph: Workable, run: AgentRun, errand: Errand, config: LangGraphRunnableConfig): Promise<Done> {
  const { agent, limits, quiet, account } = run;
  const own = { ...(quiet || wholeOutputGuards().length > 0 ? muted(config) : config), context: {} };
  const record = (entries: LedgerEntry[]) => {
    account?.ended.push(...entries);
    run.record?.(entries);
  };
  const values = await runSubgraph(graph, { messages: openingOf(errand, limits) }, own, record);
  const ledger = ledgerOf(values);
  account?.ended.push(...ledger);
  const message = (values.messages as AIMessage[] | undefined)?.at(-1);
  const result = values.structuredResponse ?? message?.text ?? values;
  const done = { message, ...(typeof values.stopped === "string" && { stopped: values.stopped }), ledger };
  if (!agent.output) return { ...done, result };
  const read = readAnswer(asText(result), answerOf(agent.name, agent.output));
  if ("problem" in read) throw new Error(`The result of "${agent.name}" cannot be used: ${read.problem}`);
  return { ...done, result: read.result };
}

const answerOf = (name: string, schema: z.ZodType): AnswerSchema => ({ name, schema });

/** Builds the graph that all agents without middleware share. The context of each call names the agent and its settings. */
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

const statusOf = (error: Error) => (error instanceof NoAnswer ? error.status : "failed");

/** Tells whether a retry would fail in the same way, for example after a refused request, a bad key or an unknown model. */
function isFatal(error: Error): boolean {
  if (error instanceof NoAnswer) return error.isFatal;
  return (
    error instanceof UnknownModel ||
    error.name === "ResourceError" ||
    error instanceof KnowledgeError ||
    error instanceof GuardrailTripped ||
    error instanceof PromptTooLong ||
    isRefusal(Object(error).status)
  );
}

/** Tells whether the error is a signal that LangGraph uses to stop or leave a graph. */
const isBubble = (error: Error) => "is_bubble_up" in error && error.is_bubble_up === true;
