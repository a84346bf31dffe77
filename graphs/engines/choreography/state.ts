import type { AIMessage, BaseMessage } from "@langchain/core/messages";
import { z } from "zod";
import type { LedgerEntry } from "../../agent/ledger.ts";
import { ledgerState } from "../../agent/metrics/measured.ts";
import { AgentData } from "../../agent/schema.ts";
import { appending } from "../../agent/state.ts";
import { answerWith, taskState } from "../../agent/task.ts";
import { Answer, isSame } from "../conditions.ts";
import { byKey } from "../workflow/state.ts";
import { Event, type Listener, type Look, type Reaction, type Wake, type When } from "./event.ts";

const internal = <Value>() => z.unknown() as unknown as z.ZodType<Value>;

/** A message that a listener wrote and that was streamed to clients. `by` has the numbers of the events that woke the listener. */
export interface Spoken {
  listener: string;
  by: number[];
  message: AIMessage;
}

/** The reason why a run ended although listeners could still be woken. */
export const Stopped = z.enum(["until", "limit", "failures"]);

/** The record of a key's last change on the board. */
export const Mark = z.object({
  version: z.number().int().describe("Number of changes of the key"),
  by: z.string().describe("Listener that wrote the value"),
  confidence: z.number().describe("Confidence of the listener, 1 being certain"),
  seq: z.number().int().describe("Event that reports the change"),
});
export type Mark = z.infer<typeof Mark>;

const View = z.object({
  by: z.string().describe("Listener with this view"),
  value: z.unknown().describe("Value that it wrote"),
  confidence: z.number().describe("Confidence of the listener, 1 being certain"),
});

/** The record of a settled conflict. Several listeners wrote different values for one key, and the losing values stay in the record. */
export const Settlement = z.object({
  key: z.string().describe("Key of the board"),
  by: z.enum(["confidence", "arbitration", "last"]).describe("Strategy that settled the conflict"),
  winner: View.describe("View that was kept"),
  losers: z.array(View).describe("Views that were not kept"),
  reason: z.string().describe("Why the winner was chosen"),
});
export type Settlement = z.infer<typeof Settlement>;

/** A value that a listener writes to the board, and the version that the key had when the listener read it. */
export interface Write extends z.infer<typeof View> {
  key: string;
  version: number;
  causedBy: number[];
}

/** Different values for one key. The judge has to choose one. */
export interface Conflict {
  key: string;
  writes: Write[];
}

/** Returns the last messages of a run: those that were streamed to clients, and the answer if it was not streamed. */
export function closingMessages({ spoken, events }: Pick<ChoreographyValues, "spoken" | "events">, answer: string): BaseMessage[] {
  const last = events.at(-1);
  const isSpoken = spoken.some(({ listener, by }) => listener === last?.from && isSame(by, last.causedBy));
  return [...spoken.map(({ message }) => message), ...(isSpoken ? [] : answerWith(answer))];
}

/** The state keys of every choreography. A pattern adds its own keys. */
export const choreographyState = {
  ...taskState,
  listeners: z.array(internal<Listener>()).default([]).describe("Listeners of the run"),
  agents: z.array(AgentData).default([]).describe("Agents of the run. Listeners refer to them by name."),
  until: internal<When | null>().default(null).describe("Condition that ends the run"),
  bounds: z
    .object({ maxEvents: z.number().int(), maxDepth: z.number().int() })
    .default({ maxEvents: 200, maxDepth: 20 })
    .describe("Limits on the number of events and on the length of a causal chain"),
  events: appending(Event, "The event log"),
  looks: z.record(z.string(), internal<Look>()).default({}).describe("The position up to which each listener has read the log"),
  pending: z.array(internal<Wake>()).default([]).describe("Listeners at work, and the events that woke them"),
  again: z.array(internal<Wake>()).default([]).describe("Listeners that failed and are tried again"),
  reactions: appending(internal<Reaction>(), "Results that are not published yet"),
  failed: z.array(internal<Wake>()).default([]).describe("Listeners whose final failure no other listener handled"),
  answers: byKey(z.record(z.string(), Answer), "Answers of the judge, by the place where a condition was checked and the question"),
  stopped: Stopped.nullable().default(null).describe("Why the run ended early. Null if nothing was left to do."),
  chain: z.array(z.number().int()).default([]).describe("The causal chain that reached the limit"),
  advice: z.string().default("").describe("New instructions that a person gave after failures"),
  spoken: appending(internal<Spoken>(), "Messages that clients have seen as they were written"),
  ...ledgerState,
};

/** The state keys of a choreography with a shared board. */
export const boardState = {
  board: z.record(z.string(), z.unknown()).default({}).describe("Values of the shared board"),
  marks: z.record(z.string(), Mark).default({}).describe("Last change of each key of the board"),
  conflicts: z.array(internal<Conflict>()).default([]).describe("Conflicts on the board that the judge has to settle"),
  decided: appending(internal<Write>(), "Values that the judge chose, and that are not published yet"),
  settlements: appending(Settlement, "How conflicts on the board were settled"),
  chosen: z.string().nullable().default(null).describe("Listener that the judge wants to be woken first"),
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
  board?: Record<string, unknown>;
  marks?: Record<string, Mark>;
  conflicts?: Conflict[];
  decided?: Write[];
  settlements?: Settlement[];
  looks: Record<string, Look>;
  pending: Wake[];
  again: Wake[];
  reactions: Reaction[];
  failed: Wake[];
  answers: Record<string, Record<string, Answer>>;
  stopped: z.infer<typeof Stopped> | null;
  chosen?: string | null;
  chain: number[];
  advice: string;
  spoken: Spoken[];
  ledger: LedgerEntry[];
}
