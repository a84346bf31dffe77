import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { askModel, NoAnswer, type Usage } from "./ask-model.ts";
import type { Budget, Limits } from "./context.ts";
import { costOf, type LedgerEntry } from "./ledger.ts";

/** A member of a roster. */
export const Agent = z.object({
  name: z.string().trim().min(1).max(100).describe("Name of the agent"),
  role: z.string().trim().min(1).describe("Role of the agent"),
  instructions: z.string().default("").describe("System prompt of the agent"),
  model: z.string().min(1).optional().describe("Model to use instead of the tier's model"),
  weight: z.number().positive().default(1).describe("Weight of the agent's findings in a weighted vote"),
  timeoutSeconds: z.number().positive().max(3_600).default(30).describe("Seconds after which a call is given up"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a bad answer may be retried"),
});

export type Agent = z.infer<typeof Agent>;

/** The schema of a roster. Every agent has a unique name. */
export const Roster = z
  .array(Agent)
  .min(1)
  .superRefine((agents, context) => {
    const names = new Set<string>(); // a Set keeps a very long list fast
    agents.forEach(({ name }, index) => {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another agent named "${name}"` });
      names.add(name);
    });
  })
  .describe("Agents that can be given work");

/** The outcome of a call. A failure is also an outcome: it never fails its siblings. */
export type Outcome<Result> =
  | { status: "success"; result: Result; entry: LedgerEntry }
  | { status: "failed" | "timeout"; error: string; entry: LedgerEntry };

export interface AgentCall<Schema extends z.ZodType> {
  agent: Agent;
  /** The tier's model, for an agent without its own. */
  model: string;
  /** Sent only if it is set. */
  temperature?: number;
  task: string;
  /** The subject of the task. The agent sees nothing else: no history of the caller, no other agents' tasks. */
  input?: unknown;
  constraints?: string[];
  answer: { name: string; schema: Schema };
  limits: Limits;
  budget: Budget;
}

/** Gives an agent one task and returns the outcome. An abort of the run is not an outcome, so it is rethrown. */
export async function callAgent<Schema extends z.ZodType>(
  call: AgentCall<Schema>,
  config: LangGraphRunnableConfig,
): Promise<Outcome<z.infer<Schema>>> {
  const { agent, answer, temperature } = call;
  const model = agent.model ?? call.model;
  const started = Date.now();
  const deadline = AbortSignal.timeout(Math.ceil(agent.timeoutSeconds * 1000));
  const signal = config.signal ? AbortSignal.any([config.signal, deadline]) : deadline;

  const entry = (outcome: LedgerEntry["outcome"], attempts: number, { answered, ...used }: Usage, error?: string): LedgerEntry => ({
    agent: agent.name,
    task: shorten(call.task),
    model: answered ?? model,
    at: new Date(started).toISOString(),
    elapsedMs: Date.now() - started,
    attempts,
    outcome,
    ...(error !== undefined && { error }),
    ...used,
    dollars: costOf({ asked: model, answered }, used.inputTokens, used.outputTokens, call.budget),
  });

  try {
    const messages = promptFor(call);
    const { result, attempts, usage } = await askModel({ model, temperature, messages, answer, retries: agent.retries, signal }, config);
    return { status: "success", result, entry: entry("success", attempts, usage) };
  } catch (error) {
    config.signal?.throwIfAborted();
    const { attempts, usage } = error instanceof NoAnswer ? error : { attempts: 1, usage: { inputTokens: 0, outputTokens: 0 } };
    const status = deadline.aborted ? "timeout" : "failed";
    const message = deadline.aborted ? `No answer within ${agent.timeoutSeconds} s.` : (error as Error).message;
    return { status, error: message, entry: entry(status, attempts, usage, message) };
  }
}

export class PromptTooLong extends Error {
  override name = "PromptTooLongError";
}

function promptFor<Schema extends z.ZodType>({ agent, task, input, constraints = [], limits }: AgentCall<Schema>) {
  const system = [`You are ${agent.role}.`, agent.instructions, ...constraints.map((constraint) => `- ${constraint}`)]
    .filter(Boolean)
    .join("\n");
  const given = input === undefined ? "" : `\n\nInput:\n${typeof input === "string" ? input : JSON.stringify(input)}`;
  const user = `Task: ${task}${given}`;
  const words = countWords(system) + countWords(user);
  if (words > limits.promptWords) {
    throw new PromptTooLong(`The prompt for "${agent.name}" has ${words} words; ${limits.promptWords} are the most (limits.promptWords).`);
  }
  return [
    { role: "system" as const, content: system },
    { role: "user" as const, content: user },
  ];
}

export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
