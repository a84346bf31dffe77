import type { AIMessage } from "@langchain/core/messages";
import { z } from "zod";
import type { Condition } from "../conditions.ts";
import type { Doing } from "../doing.ts";

/** An entry of the event log. Entries are only appended, and `seq` numbers them from 1. */
export const Event = z.object({
  seq: z.number().int().describe("Place in the log, from 1"),
  type: z.string().describe("Type of the event"),
  from: z.string().describe("Listener that published the event. `start` for the events with which a run begins."),
  payload: z.unknown().describe("Content of the event"),
  causedBy: z.array(z.number().int()).describe("Events that woke the listener, by `seq`"),
  correlationId: z.string().describe("Id that all events of a causal chain share"),
  depth: z.number().int().describe("Length of the causal chain before this event"),
  at: z.string().describe("Time at which the event was published"),
});

export type Event = z.infer<typeof Event>;

/** A condition of a trigger: a JSON condition, or the name of a function in code. */
export type When = Condition | { code: string };

/** The events that wake a listener. A string is an event type. `key` means a change of that key of the board. */
export type Trigger = string | { event: string; when?: When } | { key: string; when?: When } | { and: Trigger[] } | { or: Trigger[] };

/** Work that waits for events. A pattern makes listeners from its input. */
export interface Listener {
  name: string;
  do: Doing;
  on: Trigger;
  /**
   * The event types that the listener may publish. If there are several, the listener's result names one of them. If the list is empty, the
   * type is the listener's name.
   */
  emits: string[];
  /** The maximum number of times that one run may wake the listener. */
  maxFires: number;
  /** The rank of the listener. If not all woken listeners can work at the same time, those with a higher priority begin first. */
  priority: number;
  timeoutSeconds: number;
  retries: number;
  /** Whether all unread events together wake the listener once. Otherwise, each event wakes the listener separately. */
  together?: boolean;
  /** Whether the listener's input contains, for each event that woke the listener, the chain of earlier events that led to it. */
  seesChain?: boolean;
  /**
   * The keys of the board that the listener reads, and the keys that it may write. Both lists are undefined for a listener without a board.
   */
  reads?: string[];
  writes?: string[];
  /** Whether other listeners write some of the same keys. If so, the listener's agent also states its confidence. */
  isContested?: boolean;
  /** Whether clients that stream the run see the tokens of the listener's agent. */
  speaks?: boolean;
}

/** One activation of a listener, and the events that caused it. */
export interface Wake {
  listener: string;
  by: number[];
  /** The number of earlier tries that failed. */
  tries: number;
  /** The error of the last failed try. Undefined on the first try. */
  error?: string;
}

/** An event that a listener publishes. It has no place in the log yet. */
export interface Emission {
  type: string;
  payload: unknown;
  /** The listener's confidence in a value for the board. Undefined for events that write nothing. */
  confidence?: number;
}

/** The result of one try of a listener. The node `publish` turns the result into events. */
export interface Reaction extends Wake {
  status: "success" | "failed" | "timeout";
  emissions: Emission[];
  isFatal: boolean;
  startedAt: string;
  elapsedMs: number;
  /** The version of each key of the board when the listener read the key. */
  versions?: Record<string, number>;
  message?: AIMessage;
}

/** The progress of a listener: the position up to which it has read the log, and the events that its trigger has collected so far. */
export interface Look {
  seen: number;
  fires: number;
  partial: Record<string, number[]>;
  /** True after an event could not wake the listener because the listener had reached `maxFires`. */
  isExhausted?: boolean;
}

/** The type of the event that reports a change of a key of the board. */
export const changeOf = (key: string): string => `board:${key}`;

/** Returns the key of the board whose change an event reports, or undefined for other events. */
export const keyOf = (type: string): string | undefined => (type.startsWith("board:") ? type.slice("board:".length) : undefined);

/** The type of the event that reports that a listener has failed for good. */
export const failureEvent = (listener: string): string => `FAILED:${listener}`;

/** Returns the single events in a trigger, without the `and` and `or` around them. */
export function leavesOf(trigger: Trigger): { type: string; when?: When }[] {
  if (typeof trigger === "string") return [{ type: trigger }];
  if ("event" in trigger) return [{ type: trigger.event, when: trigger.when }];
  if ("key" in trigger) return [{ type: changeOf(trigger.key), when: trigger.when }];
  return ("and" in trigger ? trigger.and : trigger.or).flatMap(leavesOf);
}

/** Returns the event types that listeners wait for. */
export const heardBy = (listeners: Listener[]): Set<string> => new Set(listeners.flatMap(({ on }) => leavesOf(on).map(({ type }) => type)));

/** Returns the event types that a listener may publish. */
export const typesOf = ({ name, emits }: Listener): string[] => (emits.length > 0 ? emits : [name]);

/** Returns an event and the events that led to it, oldest first. If several events led to the same event, follows the longest chain. */
export function chainOf(event: Event, events: Event[]): Event[] {
  const chain = [event];
  for (let last = event; last.causedBy.length > 0; ) {
    const causes = last.causedBy.map((seq) => events[seq - 1]).filter((cause) => cause !== undefined);
    const [first, ...others] = causes;
    if (!first) break;
    last = others.reduce((deepest, cause) => (cause.depth > deepest.depth ? cause : deepest), first);
    chain.unshift(last);
  }
  return chain;
}
