import { raceWithSignal } from "@langchain/core/runnables";
import { isGraphBubbleUp, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { type Agent, type AgentOptions, agent, asAgent, fromData, graphAgent, type Member } from "../agent/agent.ts";
import { askAnswer, askApproval, nobodyAnswered } from "../agent/ask-human.ts";
import { closed } from "../agent/closed.ts";
import { type Budget, type Limits, type Models, tierOf } from "../agent/context.ts";
import type { LedgerEntry } from "../agent/ledger.ts";
import { isLackOfResources, Needs, NeedsWaitSeconds, withNeeds } from "../agent/needs.ts";
import { projectAgent, projectAgentNames } from "../agent/project.ts";
import { GraphName, openProjectGraph } from "../agent/project-graphs.ts";
import { type Outcome, runAgent } from "../agent/run-agent.ts";
import type { AgentData } from "../agent/schema.ts";
import { callingWith } from "../agent/subgraph.ts";
import { tierOfTool } from "../agent/tiers.ts";
import { ToolName } from "../agent/tool-names.ts";
import { openTool } from "../agent/tools.ts";
import { once } from "./once.ts";

/** A piece of work that is written as JSON: a task for an agent, a tool call, another graph, or a question to a person. */
export const Doing = closed(
  {
    task: z.string().trim().min(1).max(100_000).optional().describe("Task of the agent. Without `agent`, a general worker does the task."),
    agent: z.string().min(1).max(100).optional().describe("Name of the agent that does the work"),
    tool: ToolName.optional().describe("Name of a tool to call"),
    args: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Arguments of the tool. `{ "path": "…" }` stands for the value at that path. Default: the input of the step.'),
    graph: GraphName.optional().describe("Id of a graph of the project to run"),
    input: z.record(z.string(), z.unknown()).optional().describe("Input of the graph. Default: a message with the input of the step"),
    ask: z.string().min(1).max(10_000).optional().describe("Question to a person, whose answer is the result"),
    options: z.array(z.string().min(1)).min(2).optional().describe("Answers to choose from"),
    needs: Needs.optional(),
    needsWaitSeconds: NeedsWaitSeconds.optional(),
  },
  (given) => {
    const has = (key: string) => Object(given)[key] !== undefined;
    const kinds = ["agent", "tool", "graph", "ask"].filter(has);
    if (kinds.length > 1) return [{ path: [], message: `give only one of ${kinds.join(" and ")}` }];
    if (kinds.length === 0 && !has("task")) return [{ path: [], message: "give one of task, agent, tool, graph, ask" }];
    const misplaced = [
      ["args", "tool"],
      ["input", "graph"],
      ["options", "ask"],
      ["needsWaitSeconds", "needs"],
    ].filter(([field = "", kind = ""]) => has(field) && !has(kind));
    return misplaced.map(([field = "", kind]) => ({ path: [field], message: `this needs \`${kind}\`` }));
  },
);

/**
 * A piece of work that is written as JSON, or the name (`code`) of a function or an agent from TypeScript code. A function also receives
 * `args`.
 */
export type Doing = z.infer<typeof Doing> & { code?: string };

/**
 * The facts about one call of a step's function. `key` stays the same if a crash repeats the call, so that the systems that the function
 * calls can detect the repetition.
 */
export interface StepCall {
  config: LangGraphRunnableConfig;
  signal: AbortSignal;
  key: string;
  args: Record<string, unknown>;
}

/** A function that does a step. */
export type StepFunction = (input: unknown, call: StepCall) => unknown;

/** The forms in which code defines a piece of work: JSON, a function, an agent, the options of an agent, or a compiled graph. */
export type DoingInCode = z.input<typeof Doing> | StepFunction | Member;

/** The functions and agents in code that a pattern uses, by name. */
export type Code = Map<string, StepFunction | Agent>;

/** Converts work to JSON. A function or an agent is added to `code` under `name`, and the JSON refers to it by this name. */
export function toData(work: DoingInCode, name: string, code: Code): Doing {
  if (typeof work !== "function" && !("role" in work) && !("invoke" in work)) return Doing.parse(work);
  code.set(name, typeof work === "function" ? work : asAgent(work as AgentOptions));
  return { code: name };
}

/** One try of a piece of work. */
export interface Errand {
  /** The name of the step. It appears in progress events, in the ledger and in questions. */
  name: string;
  do: Doing;
  input: unknown;
  /** Notes for the agent: the error of the last try, and the instructions that a person gave after that error. */
  notes: string[];
  timeoutSeconds: number;
  /** Whether clients that stream the run see the tokens of this work. */
  speaks: boolean;
  /** Returns the schema that the agent's result must have for this work. `output` is the agent's own schema. */
  shape?(output: z.ZodType | undefined): z.ZodType | undefined;
}

/** The settings of a run that apply to each piece of its work. */
export interface Surroundings {
  pattern: string;
  code: Code;
  agents: AgentData[];
  context: { models: Models; limits: Limits; budget: Budget; allowedHosts?: string[] | null; askTimeoutSeconds?: number | null };
  /** Returns the agent with the parts that the pattern adds to it, such as tools. */
  equip?(worker: Agent): Agent;
}

/** Tries a piece of work one time. Returns a failure as an outcome instead of throwing it, so that parallel work continues. */
export async function perform(errand: Errand, around: Surroundings, config: LangGraphRunnableConfig): Promise<Outcome> {
  if (!errand.do.needs) return performAtOnce(errand, around, config);
  const work = async (waitedMs: number) => ({ ...(await performAtOnce(errand, around, config)), ...(waitedMs > 0 && { waitedMs }) });
  return withNeeds(errand.do, config, work).catch((error) => {
    if (!isLackOfResources(error)) throw error;
    return { ...failed(error.message), isFatal: error.name === "ResourceError" };
  });
}

async function performAtOnce(errand: Errand, around: Surroundings, config: LangGraphRunnableConfig): Promise<Outcome> {
  const { code, tool, ask } = errand.do;
  const own = code === undefined ? undefined : around.code.get(code);
  if (code !== undefined && !own) return failed(`The code of this graph no longer has "${code}".`);
  if (typeof own === "function")
    return attempt(errand, config, ({ signal }) =>
      once(config, errand.name, (key) => own(errand.input, { config, signal, key, args: errand.do.args ?? {} })),
    );
  if (tool !== undefined) return callTool(tool, errand, around, config);
  if (ask !== undefined) return attempt({ ...errand, timeoutSeconds: Infinity }, config, () => question(ask, errand, around));
  return sendAgent(own ?? (await agentFor(errand, around)), errand, around, config);
}

/** Returns the agent that does a piece of work. If the work names neither an agent nor a graph, a general worker does the work. */
async function agentFor({ name, do: { agent: named, graph: graphId, input } }: Errand, { agents, code }: Surroundings): Promise<Agent> {
  if (graphId !== undefined) {
    const graph = await openProjectGraph(graphId);
    return { ...graphAgent(input ? callingWith(graph, (_, config) => [input as never, config]) : graph), name: graphId };
  }
  if (named === undefined) return agent({ name, role: "a careful worker" });
  const own = code.get(named);
  const data = agents.find((one) => one.name === named) ?? (typeof own === "object" ? undefined : projectAgent(named));
  if (data) return fromData(data);
  if (typeof own === "object") return own;
  throw new Error(`There is no agent "${named}" any more.`);
}

/** Throws if work names an agent that is not defined. */
export function checkAgents(work: (Doing | undefined)[], { agents, code }: Pick<Surroundings, "agents" | "code">): void {
  const known = [...agents.map(({ name }) => name), ...[...code].filter(([, one]) => typeof one === "object").map(([name]) => name)];
  for (const { agent: named } of work.filter((one) => one !== undefined)) {
    if (named === undefined || known.includes(named) || projectAgent(named)) continue;
    throw new Error(`There is no agent "${named}"; there are ${[...known, ...projectAgentNames()].join(", ") || "none"}.`);
  }
}

function sendAgent(given: Agent, errand: Errand, around: Surroundings, config: LangGraphRunnableConfig): Promise<Outcome> {
  const { pattern, context, equip = (agent) => agent } = around;
  const worker = equip(given);
  const { name, do: doing, input, notes, timeoutSeconds, speaks } = errand;
  const task = [doing.task ?? `Do the step "${name}" with the input.`, ...notes].join("\n\n");
  const timeouts = { errandSeconds: timeoutSeconds, timeoutSeconds: Math.min(timeoutSeconds, worker.timeoutSeconds) };
  const shaped = errand.shape && !worker.graph ? { ...worker, output: errand.shape(worker.output) } : worker;
  return runAgent({ ...tierOf(context, "worker"), agent: { ...shaped, ...timeouts }, task, input, pattern, quiet: !speaks }, config);
}

async function callTool(tool: string, errand: Errand, around: Surroundings, config: LangGraphRunnableConfig): Promise<Outcome> {
  const { pattern, context } = around;
  const ledger: LedgerEntry[] = [];
  const caller = agent({ name: errand.name, role: "a step" });
  const record = (entries: LedgerEntry[]) => void ledger.push(...entries);
  const run = { ...tierOf(context, "worker"), agent: caller, task: `Call ${tool}`, pattern, quiet: true, record };
  const outcome = await attempt(errand, config, async ({ signal }) => {
    const opened = await openTool(tool, run);
    if (!opened) throw new Error(`There is no tool "${tool}" any more.`);
    const given = errand.do.args ?? (isRecord(errand.input) ? errand.input : { input: errand.input });
    const args = tierOfTool(opened) === 3 ? approvedArgs(tool, given, around) : given;
    return once(config, errand.name, async () => fromText(await opened.invoke(args, { ...config, signal })));
  });
  return { ...outcome, ledger };
}

/**
 * Asks a person to approve the call of a tool whose changes cannot be undone (tier 3). Returns the arguments, or throws if the person
 * refuses.
 */
function approvedArgs(name: string, args: Record<string, unknown>, { context: { askTimeoutSeconds = null } }: Surroundings) {
  const asked = { action: { name, args }, timeoutSeconds: askTimeoutSeconds };
  const { approved, reason, edited = args } = askApproval(`May ${name} be used?`, { tool: name, args }, asked);
  if (!approved) throw new Error(`Refused by a person${reason ? `: ${reason}` : "."}`);
  return edited;
}

function question(prompt: string, { do: { options }, input }: Errand, { context: { askTimeoutSeconds = null } }: Surroundings): string {
  const answer = askAnswer(prompt, options, { details: input, timeoutSeconds: askTimeoutSeconds });
  if (answer === undefined) throw new Error(nobodyAnswered(askTimeoutSeconds));
  return answer;
}

/** Does the work within its time limit, and turns errors into outcomes. Throws only if a person is asked or the run is aborted. */
async function attempt(
  { timeoutSeconds }: Pick<Errand, "timeoutSeconds">,
  config: LangGraphRunnableConfig,
  work: (limits: { signal: AbortSignal }) => unknown,
): Promise<Outcome> {
  const deadline = Number.isFinite(timeoutSeconds) ? AbortSignal.timeout(Math.ceil(timeoutSeconds * 1_000)) : undefined;
  const signal = AbortSignal.any([config.signal, deadline].filter((one) => one !== undefined));
  try {
    return { status: "success", result: await raceWithSignal((async () => work({ signal }))(), signal), ledger: [] };
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    config.signal?.throwIfAborted();
    if (deadline?.aborted) return { ...failed(`Not done within ${timeoutSeconds} s.`), status: "timeout" };
    return failed(error instanceof Error ? error.message : String(error));
  }
}

const failed = (error: string) => ({ status: "failed" as const, error, isFatal: false, ledger: [] });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Parses the result of a tool if it is JSON text, because tools of MCP servers return JSON as text. */
function fromText(result: unknown): unknown {
  if (typeof result !== "string" || !/^\s*[[{]/.test(result)) return result;
  try {
    return JSON.parse(result);
  } catch {
    return result;
  }
}
