import {
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  closed,
  conditionToData,
  Doing,
  type DoingInCode,
  heardBy,
  type Listener,
  leavesOf,
  type Trigger,
  toData,
  typesOf,
} from "ensemble/patterns";
import { z } from "zod";

/** The schema of an event type. Types with a colon are reserved for the engine's own events. */
export const EventType = z.string().trim().min(1).max(100);

export interface TriggerObject {
  event?: string;
  when?: Condition;
  and?: TriggerData[];
  or?: TriggerData[];
}
export type TriggerData = string | TriggerObject;

/**
 * The schema of a trigger. A trigger is an event type, an event type with a condition, or a list of triggers. In a list with `and`, all
 * triggers must occur. In a list with `or`, one of them must occur.
 */
export const TriggerSchema: z.ZodType<Trigger, TriggerData> = z.union([
  EventType,
  closed(
    {
      event: EventType.optional().describe("Type of the event"),
      when: Condition.optional().describe("Condition for the event. It sees `event`, `payload` and `task`."),
      and: z
        .array(z.lazy(() => TriggerSchema))
        .min(2)
        .optional()
        .describe("Events that must all come"),
      or: z
        .array(z.lazy(() => TriggerSchema))
        .min(2)
        .optional()
        .describe("Events of which one must come"),
    },
    (given) => {
      const { event, when, and, or } = given as TriggerObject;
      const forms = [event, and, or].filter((form) => form !== undefined).length;
      if (forms !== 1) return [{ path: [], message: "give one of event, and, or" }];
      return when !== undefined && event === undefined ? [{ path: ["when"], message: "this needs `event`" }] : [];
    },
  ) as never,
]);

const Emits = z
  .array(EventType.regex(/^[^:]+$/, "an event that a listener publishes has no colon in its type"))
  .max(20)
  .default([])
  .describe("Types of events that the listener may publish. If there are several, it chooses one. Default: its name.");

const ListenerSchema = closed({
  name: z.string().trim().min(1).max(100).describe("Name of the listener"),
  do: Doing.describe("The work of the listener when it is woken"),
  on: TriggerSchema.describe("The events that wake the listener"),
  emits: Emits,
  once: z.boolean().default(false).describe("Whether the listener is woken only once in a run"),
  maxFires: z.number().int().min(1).max(1_000).default(10).describe("How often the listener may be woken in a run"),
  priority: z.number().default(0).describe("Listeners with a higher priority are woken first if not all can work at once"),
  sees: z
    .enum(["event", "chain"])
    .default("event")
    .describe("Whether the listener gets only the event, or also the chain of events that led to the event"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often failed work is tried again"),
});

type ListenerData = z.input<typeof ListenerSchema>;

/** The schema of a choreography's listeners. Their names are unique. */
export const Listeners = z
  .array(ListenerSchema)
  .min(1)
  .max(100)
  .superRefine((listeners, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of listeners.entries()) {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another listener "${name}"` });
      names.add(name);
    }
  })
  .describe("Listeners, each with the events that wake it");

/** A trigger that is defined in code. Its conditions can be functions. */
export type TriggerInCode = string | { event: string; when?: ConditionInCode } | { and: TriggerInCode[] } | { or: TriggerInCode[] };

/** A listener that is defined in code. Unlike a listener in a run's context, it may contain functions and agents instead of their names. */
export type ListenerInCode = Omit<ListenerData, "do" | "on"> & { do: DoingInCode; on: TriggerInCode };

/**
 * Converts listeners from TypeScript code to the form that the nodes use. Stores the functions and agents of the listeners by name in
 * `code` and `conditions`, and puts only these names into the listeners.
 */
export function listenersOf(listeners: ListenerInCode[], code: Code, conditions: Conditions): Listener[] {
  const data = listeners.map(({ do: work, on, ...listener }) => ({ ...listener, do: { task: "set below" }, on: "set below" }));
  return toListeners(
    Listeners.parse(data).map((listener, index) => {
      const { do: work, on } = listeners[index] as ListenerInCode;
      return { ...listener, do: toData(work, listener.name, code), on: triggerToData(on, listener.name, conditions) };
    }),
  );
}

function triggerToData(trigger: TriggerInCode, place: string, conditions: Conditions): Trigger {
  if (typeof trigger === "string") return trigger;
  const inner = (parts: TriggerInCode[]) => parts.map((part, index) => triggerToData(part, `${place}.${index}`, conditions));
  if ("and" in trigger) return { and: inner(trigger.and) };
  if ("or" in trigger) return { or: inner(trigger.or) };
  return { event: trigger.event, ...(trigger.when && { when: conditionToData(trigger.when, place, conditions) }) };
}

/**
 * Converts parsed listeners to the form that the nodes use. A listener writes the answer if it has a single event type, and no listener
 * waits for that type. Clients see the tokens of a listener that writes the answer.
 */
export function toListeners(listeners: (Omit<z.output<typeof ListenerSchema>, "do"> & { do: Listener["do"] })[]): Listener[] {
  const plain = listeners.map(({ once, sees, maxFires, ...listener }): Listener => {
    return { ...listener, maxFires: once ? 1 : maxFires, seesChain: sees === "chain" };
  });
  const heard = heardBy(plain);
  return plain.map((listener) => {
    const types = typesOf(listener);
    return { ...listener, speaks: types.length === 1 && !types.some((type) => heard.has(type)) };
  });
}

/** Returns a warning for each event that a listener waits for but nobody publishes. */
export function waitingInVain(listeners: Listener[], startType: string): string[] {
  const published = new Set([startType, ...listeners.flatMap((listener) => [...typesOf(listener), `FAILED:${listener.name}`])]);
  return listeners.flatMap(({ name, on }) =>
    leavesOf(on)
      .filter(({ type }) => !published.has(type))
      .map(({ type }) => `"${name}" waits for "${type}", which nobody publishes.`),
  );
}
