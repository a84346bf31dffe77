import type { BaseMessage } from "@langchain/core/messages";
import { appending, type LedgerEntry, ledgerState, taskState } from "ensemble/patterns";
import { z } from "zod";
import { type Delivery, Message, type Open, Receipt } from "./message.ts";

const internal = <Value>() => z.unknown() as unknown as z.ZodType<Value>;

/** The result of one agent's turn. The node `deliver` sends the messages in the result. */
export interface TurnDone {
  agent: string;
  /** The ids of the messages that the agent received. */
  ids: string[];
  status: "success" | "failed" | "timeout";
  result?: unknown;
  error?: string;
  isFatal?: boolean;
}

export interface TurnTimes {
  agent: string;
  ids: string[];
  startedAt: number;
  endedAt: number;
}

const Deadlock = z.object({
  agents: z.array(z.string()).describe("Agents that waited for each other"),
  refused: z.string().describe("Agent whose request was refused"),
});

export const busState = {
  ...taskState,
  log: appending(Message, "All messages in the order in which they were sent"),
  receipts: appending(Receipt, "End of each delivery: acknowledged or dead"),
  deadlocks: appending(Deadlock, "Agents that waited for each other"),
  inboxes: z.record(z.string(), internal<Delivery[]>()).default({}).describe("Messages that agents have not handled yet"),
  open: z.array(internal<Open>()).default([]).describe("Messages that wait for a reply"),
  helps: z.array(internal<Message>()).default([]).describe("Calls for help that nobody has answered yet"),
  ended: z.array(z.string()).default([]).describe("Agents that get no more messages"),
  turns: appending(internal<TurnDone>(), "Results of turns that are not delivered yet"),
  times: appending(internal<TurnTimes>(), "Times of every turn, and the messages that it handled"),
  accepted: z.boolean().default(false).describe("Whether the result so far was accepted after failures"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  asked: z.number().int().default(0).describe("Dead letters about which a person was asked"),
  ...ledgerState,
};

export interface BusValues {
  task: string | null;
  messages: BaseMessage[];
  log: Message[];
  receipts: Receipt[];
  deadlocks: z.infer<typeof Deadlock>[];
  inboxes: Record<string, Delivery[]>;
  open: Open[];
  helps: Message[];
  ended: string[];
  turns: TurnDone[];
  times: TurnTimes[];
  accepted: boolean;
  advice: string;
  asked: number;
  ledger: LedgerEntry[];
}
