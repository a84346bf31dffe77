import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { askModel, NoAnswer, type Usage } from "./ask-model.ts";
import type { Budget, Limits } from "./context.ts";
import { costOf, type LedgerEntry } from "./ledger.ts";

/** A member of a roster. */
export const Agent = z.object({
  name: z.string().trim().min(1).max(100).describe("By which it is called"),
  role: z.string().trim().min(1).describe("What it is"),
  instructions: z.string().default("").describe("How it works"),
  model: z.string().min(1).optional().describe("Instead of the tier's model"),
  weight: z.number().positive().default(1).describe("How much its word counts where words are weighed"),
  timeoutSeconds: z.number().positive().max(3_600).default(30).describe("After which a call of it is given up"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a bad answer may be mended"),
});

export type Agent = z.infer<typeof Agent>;

/** Agents with names of their own. */
export const Roster = z
  .array(Agent)
  .min(1)
  .superRefine((agents, context) => {
    const names = new Set<string>(); // whoever sends a very long list may not hold everybody up
    agents.forEach(({ name }, index) => {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another agent named "${name}"` });
      names.add(name);
    });
  })
  .describe("Who can be given work");

/** What came of a call. A failure is an outcome like another: it never fails its siblings. */
export type Outcome<Result> =
  | { status: "success"; result: Result; entry: LedgerEntry }
  | { status: "failed" | "timeout"; error: string; entry: LedgerEntry };

export interface AgentCall<Schema extends z.ZodType> {
  agent: Agent;
  /** The tier's model, for an agent that has none of its own. */
  model: string;
  /** Sent only if it is set. */
  temperature?: number;
  task: string;
  /** What the task is about. It gets this and nothing else: no history of the caller, no other agents' tasks. */
  input?: unknown;
  constraints?: string[];
  answer: { name: string; schema: Schema };
  limits: Limits;
  budget: Budget;
}

/** Gives an agent one task and brings back what came of it. The run's own abort is not an outcome: it is thrown on. */
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
