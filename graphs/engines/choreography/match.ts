import { type Conditions, evaluate, questionsIn } from "../conditions.ts";
import { chainOf, type Event, type Listener, type Look, leavesOf, type Trigger, type Wake, type When } from "./event.ts";
import type { ChoreographyValues } from "./state.ts";

/** A question to the judge, and the key (`place`) under which the answer is stored. */
export interface Question {
  place: string;
  ask: string;
  model?: string;
  input: unknown;
}

type Facts = Pick<ChoreographyValues, "listeners" | "events" | "board" | "looks" | "again" | "answers" | "task" | "chosen">;

interface Found {
  by: number[];
  after: Look;
}

interface Looked {
  listener: Listener;
  found: Found[];
  /** The listener's progress in the log after all wakes in `found`. */
  final: Look;
  questions: Question[];
}

const unseen: Look = { seen: 0, fires: 0, partial: {} };

/**
 * Returns at most `most` wakes to start now: first the repeated tries, and then the wakes that events cause. `looks` in the result says how
 * far each listener has then read the log.
 */
export function dueWakes(facts: Facts, conditions: Conditions, most: number) {
  const looked = facts.listeners.map((listener) => lookAt(listener, facts, conditions));
  const again = facts.again.slice(0, most);
  const due = looked.flatMap(({ listener, found }, index) => found.map((one) => ({ listener, index, ...one })));
  const taken = due
    .toSorted((one, other) => isChosen(other, facts) - isChosen(one, facts) || inOrder(one, other))
    .slice(0, most - again.length);
  const looks = looked.map(({ listener: { name }, found, final }): [string, Look] => {
    const own = taken.filter(({ listener }) => listener.name === name);
    return [name, own.length === found.length ? final : (own.at(-1)?.after ?? facts.looks[name] ?? unseen)];
  });
  const woken = taken.map(({ listener, by }): Wake => ({ listener: listener.name, by, tries: 0 }));
  return { pending: [...again, ...woken], again: facts.again.slice(most), looks: Object.fromEntries(looks) };
}

/** Returns the questions that the judge must answer before some listeners can read further in the log. */
export const openQuestions = (facts: Facts, conditions: Conditions): Question[] =>
  facts.listeners.flatMap((listener) => lookAt(listener, facts, conditions).questions);

interface Due extends Found {
  listener: Listener;
  index: number;
}

const isChosen = ({ listener }: Due, { chosen }: Facts): number => (listener.name === chosen ? 1 : 0);

/** Sorts wakes by priority, then by their last event, then by the order of the listeners. The wakes of one listener keep their order. */
function inOrder(one: Due, other: Due): number {
  const lastOf = ({ by }: Due) => by.at(-1) ?? 0;
  return other.listener.priority - one.listener.priority || lastOf(one) - lastOf(other) || one.index - other.index;
}

/**
 * Returns the wakes that the unread events cause for a listener. Stops before an event for which the judge must answer a question first.
 */
function lookAt(listener: Listener, facts: Facts, conditions: Conditions): Looked {
  let look = facts.looks[listener.name] ?? unseen;
  const found: Found[] = [];
  for (const event of facts.events.slice(look.seen)) {
    const place = `${listener.name}@${event.seq}`;
    const questions = questionsAbout(listener, event).filter(({ ask }) => !facts.answers[place]?.[ask]);
    if (questions.length > 0) {
      return { ...joined(listener, found, look), questions: questions.map((one) => ({ ...one, place })) };
    }
    const partial = { ...look.partial };
    const holds = (when: When) => holdsFor(when, event, facts, conditions, place);
    const by = feed(listener.on, event, { partial, holds });
    look = { ...look, seen: event.seq, partial };
    if (!by) continue;
    const isJoined = listener.together && found.length > 0;
    if (!isJoined && look.fires >= listener.maxFires) look = { ...look, isExhausted: true };
    else {
      if (!isJoined) look = { ...look, fires: look.fires + 1 };
      found.push({ by, after: look });
    }
  }
  return { ...joined(listener, found, look), questions: [] };
}

/** Merges several wakes of a listener into one, if the listener takes all events together. */
function joined(listener: Listener, found: Found[], final: Look) {
  const by = found.flatMap((one) => one.by);
  return { listener, final, found: listener.together && found.length > 1 ? [{ by, after: final }] : found };
}

interface Feeding {
  /** The events that each part of a trigger has collected, by the position of the part in the trigger. */
  partial: Record<string, number[]>;
  holds(when: When): boolean;
}

/** Applies an event to a trigger. If the event completes the trigger, returns all events that completed it. */
function feed(trigger: Trigger, event: Event, feeding: Feeding, place = "0"): number[] | undefined {
  if (typeof trigger === "object" && "and" in trigger) return feedAll(trigger.and, event, feeding, place);
  if (typeof trigger === "object" && "or" in trigger) {
    const done = trigger.or.map((part, index) => feed(part, event, feeding, `${place}.${index}`));
    return done.find((by) => by !== undefined);
  }
  const [leaf] = leavesOf(trigger);
  const isMatch = leaf?.type === event.type && (leaf.when === undefined || feeding.holds(leaf.when));
  return isMatch ? [event.seq] : undefined;
}

/**
 * Applies an event to a trigger that needs all of its parts. The trigger is complete when each part was completed since the trigger last
 * woke the listener. If a part was completed several times, its newest events are used.
 */
function feedAll(parts: Trigger[], event: Event, feeding: Feeding, place: string): number[] | undefined {
  const { partial } = feeding;
  const places = parts.map((_, index) => `${place}.${index}`);
  for (const [index, part] of parts.entries()) {
    const by = feed(part, event, feeding, places[index]);
    if (by) partial[`${places[index]}`] = by;
  }
  if (!places.every((one) => partial[one])) return undefined;
  const all = places.flatMap((one) => partial[one] ?? []);
  for (const one of places) delete partial[one];
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Returns the values that conditions read: the event and its payload, the values of the board, and the task. */
export const valuesOf = ({ board = {}, task }: Pick<Facts, "board" | "task">, event?: Event): Record<string, unknown> => ({
  task,
  board,
  ...(event && { event, payload: event.payload }),
});

function holdsFor(when: When, event: Event, facts: Facts, conditions: Conditions, place: string): boolean {
  const values = valuesOf(facts, event);
  if ("code" in when) return conditions.get(when.code)?.(values) ?? false;
  return evaluate(when, values, facts.answers[place]).holds;
}

function questionsAbout({ on }: Listener, event: Event) {
  const leaves = leavesOf(on).filter(({ type }) => type === event.type);
  const input = { type: event.type, payload: event.payload };
  return leaves.flatMap(({ when }) => (when && !("code" in when) ? questionsIn(when) : [])).map((question) => ({ ...question, input }));
}

/**
 * If the depth of a chain or the number of events is at its limit, returns the chain of events that led there. Returns undefined if the
 * pending wakes stay within the limits.
 */
export function limitReached({ events, bounds }: ChoreographyValues, pending: Wake[]): Event[] | undefined {
  const last = events.at(-1);
  const deepest = pending.flatMap(({ by }) => by.map((seq) => events[seq - 1])).find((event) => event && event.depth >= bounds.maxDepth);
  if (deepest) return chainOf(deepest, events);
  return pending.length > 0 && last && events.length >= bounds.maxEvents ? chainOf(last, events) : undefined;
}
