import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { expectedCost, type Purse, reserve } from "./account.ts";
import { type AgentRun, calledBy } from "./agent-run.ts";
import { callModel, NoAnswer } from "./call-model.ts";
import { entryOf, type LedgerEntry } from "./ledger.ts";

/** The model sees at most `windowSize` messages of a conversation. When there are more, `foldSize` messages leave at once. */
const windowSize = 20;
const foldSize = 10;

const instruction =
  "Fold the new messages into the summary. Keep names, numbers, decisions and open questions. Answer with the summary only.";

interface Memory {
  summary: string;
  /** How many messages the summary replaces, counted from the first. */
  folded: number;
  ledger: LedgerEntry[];
}

/** Merges the messages that leave the window into the summary, with one model call. Does nothing if no message leaves. */
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
 * Returns the messages to merge into the summary, oldest first. The list is usually empty. `folded` is the number of messages that the
 * summary replaces already. Messages leave ten at a time, so that the summary is not rewritten for every message. A tool result always
 * leaves together with its call.
 */
export function leavingWindow(messages: BaseMessage[], folded: number): BaseMessage[] {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return [];
  let end = Math.max(foldSize, present.length - windowSize);
  while (end < present.length && ToolMessage.isInstance(present[end])) end++;
  return end < present.length ? present.slice(0, end) : [];
}

/**
 * Returns the messages that the model sees: the messages after the summary. The last message of a person is always included, because it is
 * the task.
 */
export function inSight(messages: BaseMessage[], folded: number): BaseMessage[] {
  const task = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const present = messages.slice(folded);
  return task >= 0 && task < folded ? [messages[task] as BaseMessage, ...present] : present;
}

/** Returns messages as text, for the model that writes the summary. */
function asTranscript(messages: BaseMessage[]): string {
  return messages.map((message) => `${message.type}: ${textOf(message)}`).join("\n");
}

function textOf(message: BaseMessage): string {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  return [message.text, ...calls.map(({ name, args }) => `[calls ${name} with ${JSON.stringify(args)}]`)].filter(Boolean).join(" ");
}
