import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { expectedCost, type Purse } from "./account.ts";
import { type AgentRun, calledBy, callerOf } from "./agent-run.ts";
import { callModel } from "./call-model.ts";
import { leavingRoom, partsOf, type Room } from "./compaction.ts";
import { entryOf, type LedgerEntry } from "./ledger.ts";
import { openCall } from "./metrics/open-call.ts";
import { NoAnswer } from "./model-errors.ts";
import { cut } from "./prompt.ts";
import { tokensOf } from "./usage.ts";

/**
 * The maximum number of messages of a conversation that the model sees. If there are more, the oldest messages are merged into a summary,
 * at least `foldSize` of them in one step.
 */
const windowSize = 20;
const foldSize = 10;

const instruction =
  "Fold the new messages into the summary. Keep names, numbers, decisions and open questions. Answer with the summary only.";

interface Memory {
  summary: string;
  /** The number of messages that the summary covers, counted from the start of the conversation. */
  folded: number;
  ledger: LedgerEntry[];
}

/** Merges old messages into the summary, if the model would otherwise see too many messages or too many tokens. */
export async function fold(
  run: AgentRun,
  model: BaseChatModel,
  { messages, room, ...now }: { messages: BaseMessage[]; summary: string; folded: number; room: Room },
  purse: Purse,
  signal: AbortSignal | undefined,
): Promise<Memory> {
  const memory: Memory = { ...now, ledger: [] };
  const long = room.strategy === "minimal" ? [] : leavingRoom(messages, now.folded, tokensIn(now.summary), room);
  const many = leavingWindow(messages, now.folded);
  for (const part of partsOf(long.length > many.length ? long : many, room.tokens / 2)) {
    await foldPart(run, model, { part, memory, room }, purse, signal);
  }
  return memory;
}

interface Part {
  part: BaseMessage[];
  memory: Memory;
  room: Room;
}

/** Merges messages into the summary with one model call, and updates the memory. */
async function foldPart(run: AgentRun, model: BaseChatModel, { part, memory, room }: Part, purse: Purse, signal: AbortSignal | undefined) {
  const transcript = cut(asTranscript(part), room.tokens / 2);
  const task = `Summary so far: ${memory.summary || "(none)"}\n\nNew messages:\n${transcript}`;
  const { timeoutSeconds, retries } = run.agent;
  const prompt = [new HumanMessage(task)];
  const called = { ...calledBy(run, Date.now()), agent: "memory", task: "summary" };
  const open = await openCall({ ...callerOf(run), agent: called.agent }, purse, expectedCost(called, prompt, purse), signal);
  const spent: LedgerEntry[] = [];
  try {
    const call = { model, system: instruction, messages: prompt, timeoutSeconds, retries, quiet: true, signal };
    const { message, attempts, usage } = await open.during(() => callModel(call));
    spent.push(entryOf(called, "success", attempts, usage));
    memory.summary = cut(message.text, room.tokens / 4);
    memory.folded += part.length;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    spent.push(entryOf(called, error.status, error.attempts, error.usage, error.message));
    run.record?.([...memory.ledger, ...spent]);
    throw Object.assign(error, { ledger: [...memory.ledger, ...spent] });
  } finally {
    open.end(spent);
    memory.ledger.push(...spent);
  }
}

const tokensIn = (text: string): number => tokensOf([new HumanMessage(text)]);

/**
 * Returns the messages to merge into the summary now, oldest first. Usually there are none. `folded` is the number of messages that the
 * summary already covers. Messages are merged ten at a time, so that the summary is not rewritten for each new message. A tool's result is
 * always merged together with its call.
 */
export function leavingWindow(messages: BaseMessage[], folded: number): BaseMessage[] {
  const present = messages.slice(folded);
  if (present.length <= windowSize) return [];
  let end = Math.max(foldSize, present.length - windowSize);
  while (end < present.length && ToolMessage.isInstance(present[end])) end++;
  return end < present.length ? present.slice(0, end) : [];
}

/** Returns messages as one text, for the model that writes the summary. */
function asTranscript(messages: BaseMessage[]): string {
  return messages.map((message) => `${message.type}: ${textOf(message)}`).join("\n");
}

function textOf(message: BaseMessage): string {
  const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
  return [message.text, ...calls.map(({ name, args }) => `[calls ${name} with ${JSON.stringify(args)}]`)].filter(Boolean).join(" ");
}
