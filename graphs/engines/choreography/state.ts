import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import { z } from "zod";
import { Ledger, type LedgerEntry } from "../../agent/ledger.ts";
import { AgentData } from "../../agent/schema.ts";
import { appending } from "../../agent/state.ts";
import { taskState } from "../../agent/task.ts";
import { Answer } from "../conditions.ts";
import { byKey } from "../workflow/state.ts";
import { Event, type Listener, type Look, type Reaction, type Wake, type When } from "./event.ts";

const internal = <Value>() => z.unknown() as unknown as z.ZodType<Value>;

/** A message that clients have seen as it was written, and the event to which it led. */
export interface Spoken {
  seq: number;
  message: AIMessage;
}

/** Why a run ended before nothing was left to do. */
export const Stopped = z.enum(["until", "limit", "failures"]);

/** A value of the board. */
export const Entry = z.object({
  value: z.unknown().describe("Value of the key"),
  version: z.number().int().describe("Number of changes of the key"),
  by: z.string().describe("Listener that wrote the value"),
  at: z.string().describe("Time of the change"),
});
export type Entry = z.infer<typeof Entry>;

/** The state keys of every choreography. A pattern adds its own keys. */
export const choreographyState = {
  ...taskState,
  listeners: z.array(internal<Listener>()).default([]).describe("Listeners of the run"),
  agents: z.array(AgentData).default([]).describe("Agents of the run, by whose names listeners refer to them"),
  until: internal<When | null>().default(null).describe("Condition that ends the run"),
  bounds: z
    .object({ maxEvents: z.number().int(), maxDepth: z.number().int() })
    .default({ maxEvents: 200, maxDepth: 20 })
    .describe("Limits on the number of events and on the length of a causal chain"),
  events: appending(Event, "The event log"),
  board: byKey(Entry, "The shared board"),
  looks: z.record(z.string(), internal<Look>()).default({}).describe("How far each listener has looked at the log"),
  pending: z.array(internal<Wake>()).default([]).describe("Listeners at work, and the events that woke them"),
  again: z.array(internal<Wake>()).default([]).describe("Listeners that failed and are tried again"),
  reactions: appending(internal<Reaction>(), "Results that are not published yet"),
  failed: z.array(internal<Wake>()).default([]).describe("Listeners that failed for good, and that no other listener heard"),
  answers: byKey(z.record(z.string(), Answer), "Answers of the judge, by the place where a condition was checked and the question"),
  stopped: Stopped.nullable().default(null).describe("Why the run ended early. Null if nothing was left to do."),
  chain: z.array(z.number().int()).default([]).describe("The causal chain that reached the limit"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  spoken: appending(internal<Spoken>(), "Messages that clients have seen as they were written"),
  ledger: Ledger,
};

/** The values of a choreography's state that the engine reads. */
export interface ChoreographyValues {
  task: string | null;
  messages: BaseMessage[];
  listeners: Listener[];
  agents: z.infer<typeof AgentData>[];
  until: When | null;
  bounds: { maxEvents: number; maxDepth: number };
  events: Event[];
  board: Record<string, Entry>;
  looks: Record<string, Look>;
  pending: Wake[];
  again: Wake[];
  reactions: Reaction[];
  failed: Wake[];
  answers: Record<string, Record<string, Answer>>;
  stopped: z.infer<typeof Stopped> | null;
  chain: number[];
  advice: string;
  spoken: Spoken[];
  ledger: LedgerEntry[];
}
