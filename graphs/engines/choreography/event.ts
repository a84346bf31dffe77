import type { AIMessage } from "@langchain/core/messages";
import { z } from "zod";
import type { Condition } from "../conditions.ts";
import type { Doing } from "../doing.ts";

/** An entry of the event log. The log only grows, and `seq` counts its entries from 1. */
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

/** A condition of a trigger, as data or as a function of the code. */
export type When = Condition | { code: string };

/** The events that wake a listener. A string is a type of event. `key` stands for a change of that key of the board. */
export type Trigger = string | { event: string; when?: When } | { key: string; when?: When } | { and: Trigger[] } | { or: Trigger[] };

/** Work that waits for events. A pattern makes the listeners from its input. */
export interface Listener {
  name: string;
  do: Doing;
  on: Trigger;
  /** The types of events that it may publish. If there are several, its result names one. Without any, the type is its name. */
  emits: string[];
  /** How often it may be woken in a run. */
  maxFires: number;
  /** Listeners with a higher priority are woken first if not all can work at once. */
  priority: number;
  timeoutSeconds: number;
  retries: number;
  /** Whether all events since its last look wake it together. Otherwise each event wakes it by itself. */
  together?: boolean;
  /** Whether its input has the causal chain of the events that woke it. */
  seesChain?: boolean;
  /** The keys of the board that it sees and that it may write. Undefined: it has nothing to do with the board. */
  reads?: string[];
  writes?: string[];
  /** Whether other listeners write the same keys. Its agent then also says how sure it is. */
  isContested?: boolean;
  /** Whether clients that stream the run see the tokens of its agent. */
  speaks?: boolean;
}

/** A listener that has been woken, and the events that woke it. */
export interface Wake {
  listener: string;
  by: number[];
  /** The number of failed tries before this one, and the error of the last one. */
  tries: number;
  error?: string;
}

/** An event that a listener publishes, before it has a place in the log. */
export interface Emission {
  type: string;
  payload: unknown;
  /** How sure the listener is of a value that it writes to the board. */
  confidence?: number;
}

/** The result of one try of a listener. The node `publish` turns it into events. */
export interface Reaction extends Wake {
  status: "success" | "failed" | "timeout";
  emissions: Emission[];
  isFatal: boolean;
  startedAt: string;
  elapsedMs: number;
  /** The versions of the keys that the listener had read. */
  versions?: Record<string, number>;
  message?: AIMessage;
}

/** How far a listener has looked at the log, and what it has seen of a trigger that needs several events. */
export interface Look {
  seen: number;
  fires: number;
  partial: Record<string, number[]>;
  /** Set once events found the listener at its limit. */
  isExhausted?: boolean;
}

/** The type of the event that reports a change of a key of the board. */
export const changeOf = (key: string): string => `board:${key}`;

/** Returns the key of the board whose change an event reports. */
export const keyOf = (type: string): string | undefined => (type.startsWith("board:") ? type.slice("board:".length) : undefined);

/** The type of the event that reports that a listener has failed for good. */
export const failureEvent = (listener: string): string => `FAILED:${listener}`;

/** Returns the single events of a trigger. */
export function leavesOf(trigger: Trigger): { type: string; when?: When }[] {
  if (typeof trigger === "string") return [{ type: trigger }];
  if ("event" in trigger) return [{ type: trigger.event, when: trigger.when }];
  if ("key" in trigger) return [{ type: changeOf(trigger.key), when: trigger.when }];
  return ("and" in trigger ? trigger.and : trigger.or).flatMap(leavesOf);
}

/** Returns the types of events that some listener hears. */
export const heardBy = (listeners: Listener[]): Set<string> => new Set(listeners.flatMap(({ on }) => leavesOf(on).map(({ type }) => type)));

/** Returns the types that a listener may publish. */
export const typesOf = ({ name, emits }: Listener): string[] => (emits.length > 0 ? emits : [name]);

/** Returns an event and those that led to it, the first one first. Where several events came together, the longest chain is followed. */
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
