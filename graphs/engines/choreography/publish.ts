import { type Emission, type Event, failureEvent, heardBy, type Reaction, type Wake } from "./event.ts";
import type { ChoreographyValues, Spoken } from "./state.ts";

interface Published {
  events: Event[];
  again: Wake[];
  failed: Wake[];
  spoken: Spoken[];
}

/**
 * Turns the reactions of a wave into events. The order does not depend on which listener ended first: the events are sorted by the name of
 * the listener, and then by the events that woke it.
 */
export function publishAll(state: ChoreographyValues): Published {
  const heard = heardBy(state.listeners);
  const events: Event[] = [];
  const again: Wake[] = [];
  const failed: Wake[] = [];
  const spoken: Spoken[] = [];
  const append = (from: string, by: number[], emissions: Emission[]) => {
    for (const emission of emissions) events.push(eventOf(emission, from, by, [...state.events, ...events]));
  };
  for (const reaction of state.reactions.toSorted(byListener)) {
    const { listener, by, tries, error, status, emissions, message } = reaction;
    if (status === "success") {
      append(listener, by, emissions);
      if (message) spoken.push({ seq: state.events.length + events.length, message });
    } else if (isTriedAgain(reaction, state)) again.push({ listener, by, tries: tries + 1, error });
    else {
      const type = failureEvent(listener);
      append(listener, by, [{ type, payload: { error, tries: tries + 1 } }]);
      if (!heard.has(type)) failed.push({ listener, by, tries: tries + 1, error });
    }
  }
  return { events, again: [...state.again, ...again], failed: [...state.failed, ...failed], spoken };
}

function byListener(one: Reaction, other: Reaction): number {
  if (one.listener !== other.listener) return one.listener < other.listener ? -1 : 1;
  return (one.by[0] ?? 0) - (other.by[0] ?? 0);
}

function isTriedAgain({ listener, isFatal, tries }: Reaction, { listeners }: ChoreographyValues): boolean {
  return !isFatal && tries < (listeners.find(({ name }) => name === listener)?.retries ?? 0);
}

/** Returns the next event of the log. It continues the causal chain of the events that led to it. */
function eventOf({ type, payload }: Emission, from: string, causedBy: number[], log: Event[]): Event {
  const causes = causedBy.map((seq) => log[seq - 1]).filter((cause) => cause !== undefined);
  return {
    ...{ seq: log.length + 1, type, from, payload: payload ?? null, causedBy },
    correlationId: causes[0]?.correlationId ?? "",
    depth: Math.max(...causes.map(({ depth }) => depth), -1) + 1,
    at: new Date().toISOString(),
  };
}

/** Returns the events with which a run begins. */
export const firstEvents = (start: Emission[], correlationId: string): Event[] =>
  start.map((emission, index) => ({ ...eventOf(emission, "start", [], []), seq: index + 1, correlationId }));
