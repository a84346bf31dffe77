import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { expectedCost, type Purse, reserve } from "./account.ts";
import { type AgentRun, calledBy } from "./agent-run.ts";
import { callModel } from "./call-model.ts";
import { entryOf, type LedgerEntry } from "./ledger.ts";
import { NoAnswer } from "./model-errors.ts";

/** The most messages of a conversation that the model sees. If there are more, the oldest `foldSize` are merged into a summary at once. */
const windowSize = 20;
const foldSize = 10;

const instruction =
  "Fold the new messages into the summary. Keep names, numbers, decisions and open questions. Answer with the summary only.";

interface Memory {
  summary: string;
  /** How many messages the summary stands for. These are the first ones of the conversation. */
  folded: number;
  ledger: LedgerEntry[];
}

/**
 * Merges old messages into the summary with one model call, if the model would otherwise see too many. Otherwise returns without a
 * change.
 */
export async function fold(
  run: AgentRun,
  model: BaseChatModel,
  { messages, ...now }: { messages: BaseMessage[]; summary: string; folded: number },
  purse: Purse,
  signal: AbortSignal | undefined,
): Promise<Memory> {
  const leaving = leavingWindow(messages, now.folded);
  if (leaving.length === 0) return { summary: now.summary, folded: now.folded, ledger: [] };
  const task = `Summary so far: ${now.summary || "(none)"}\n\nNew messages:\n${asTranscript(leaving)}`;
  const { timeoutSeconds, retries } = run.agent;
  const prompt = [new HumanMessage(task)];
  const called = { ...calledBy(run, Date.now()), agent: "memory", task: "summary" };
  const end = await reserve(purse, expectedCost(called, prompt, purse), signal);
  const ledger: LedgerEntry[] = [];
  try {
    const call = { model, system: instruction, messages: prompt, timeoutSeconds, retries, quiet: true, signal };
    const { message, attempts, usage } = await callModel(call);
    ledger.push(entryOf(called, "success", attempts, usage));
    return { summary: message.text, folded: now.folded + leaving.length, ledger };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    ledger.push(entryOf(called, error.status, error.attempts, error.usage, error.message));
    run.record?.(ledger);
    throw Object.assign(error, { ledger });
  } finally {
    end(ledger);
  }
}

/**
 * Returns the messages to merge into the summary now, oldest first. Usually there are none. `folded` is how many messages the summary
 * stands for already. Messages are merged ten at a time, so that the summary is not rewritten for each new message. A tool's result is
 * always merged together with its call.
 */
export function leavingWindow(messages: BaseMessage[], folded: number): BaseMessage[] {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return [];
  let end = Math.max(foldSize, present.length - windowSize);
  while (end < present.length && ToolMessage.isInstance(present[end])) end++;
  return end < present.length ? present.slice(0, end) : [];
}

/**
 * Returns the messages that the model sees, which are those that the summary does not contain. The last message of a person is always
 * among them, because it is the task.
 */
export function inSight(messages: BaseMessage[], folded: number): BaseMessage[] {
  const task = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const present = messages.slice(folded);
  return task >= 0 && task < folded ? [messages[task] as BaseMessage, ...present] : present;
}

/** Returns messages as one text, for the model that writes the summary. */
function asTranscript(messages: BaseMessage[]): string {
  return messages.map((message) => `${message.type}: ${textOf(message)}`).join("\n");
}

function textOf(message: BaseMessage): string {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  return [message.text, ...calls.map(({ name, args }) => `[calls ${name} with ${JSON.stringify(args)}]`)].filter(Boolean).join(" ");
}
