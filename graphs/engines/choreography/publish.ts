import { boardOf, type ConflictRule, settleWrites, write, writesFromOutside } from "./board.ts";
import { changeOf, type Emission, type Event, failureEvent, heardBy, keyOf, type Reaction, type Wake } from "./event.ts";
import type { ChoreographyValues, Spoken, Write } from "./state.ts";

type Published = Partial<ChoreographyValues> & Pick<ChoreographyValues, "events">;

/**
 * Turns the results of parallel listeners into events. Events are sorted by the name of their listener, and then by the first event that
 * woke the listener. The order thus does not depend on which listener finished first. Changes of the board come last.
 */
export function publishAll(state: ChoreographyValues, rule: ConflictRule): Published {
  const heard = heardBy(state.listeners);
  const events: Event[] = [];
  const again: Wake[] = [];
  const failed: Wake[] = [];
  const spoken: Spoken[] = [];
  const writes: Write[] = [];
  const append = (from: string, by: number[], emissions: Emission[]) => {
    for (const emission of emissions) events.push(eventOf(emission, from, by, [...state.events, ...events]));
  };
  for (const reaction of state.reactions.toSorted(byListener)) {
    const { listener, by, tries, error, status, emissions, message } = reaction;
    if (status === "success") {
      append(
        listener,
        by,
        emissions.filter(({ type }) => keyOf(type) === undefined),
      );
      writes.push(...writesOf(reaction));
      if (message) spoken.push({ by, listener, message });
    } else if (isTriedAgain(reaction, state)) again.push({ listener, by, tries: tries + 1, error });
    else {
      const type = failureEvent(listener);
      append(listener, by, [{ type, payload: { error, tries: tries + 1 } }]);
      if (!heard.has(type)) failed.push({ listener, by, tries: tries + 1, error });
    }
  }
  const changes = publishWrites(state, writes, rule, (write) => {
    append(write.by, write.causedBy, [{ type: changeOf(write.key), payload: write.value }]);
    return state.events.length + events.length;
  });
  return { events, spoken, again: [...state.again, ...again], failed: [...state.failed, ...failed], ...changes };
}

/**
 * Applies values to the board. Values that a caller wrote from outside the run come first, and make a stopped run continue. Then come the
 * writes of listeners, after conflicts between them have been found.
 */
function publishWrites(state: ChoreographyValues, writes: Write[], rule: ConflictRule, append: (write: Write) => number) {
  if (!state.marks) return {};
  const board = boardOf(state);
  const put = (one: Write) => write(board, one, append(one));
  const outside = writesFromOutside(state, board);
  for (const one of outside) put(one);
  const { writes: settled, settlements, conflicts } = settleWrites(writes, board, rule);
  for (const one of [...settled, ...(state.decided ?? [])]) put(one);
  return { board: board.values, marks: board.marks, settlements, conflicts, ...(outside.length > 0 && { stopped: null }) };
}

function byListener(one: Reaction, other: Reaction): number {
  if (one.listener !== other.listener) return one.listener < other.listener ? -1 : 1;
  return (one.by[0] ?? 0) - (other.by[0] ?? 0);
}

const writesOf = ({ listener, by, emissions, versions = {} }: Reaction): Write[] =>
  emissions.flatMap(({ type, payload, confidence = 1 }) => {
    const key = keyOf(type);
    return key === undefined ? [] : [{ key, value: payload, by: listener, confidence, version: versions[key] ?? 0, causedBy: by }];
  });

function isTriedAgain({ listener, isFatal, tries }: Reaction, { listeners }: ChoreographyValues): boolean {
  return !isFatal && tries < (listeners.find(({ name }) => name === listener)?.retries ?? 0);
}

/** Returns a new event with the next number in the log. Its correlation id is that of the first event that caused it. */
function eventOf({ type, payload }: Emission, from: string, causedBy: number[], log: Event[]): Event {
  const causes = causedBy.map((seq) => log[seq - 1]).filter((cause) => cause !== undefined);
  return {
    ...{ seq: log.length + 1, type, from, payload: payload ?? null, causedBy },
    correlationId: causes[0]?.correlationId ?? "",
    depth: Math.max(...causes.map(({ depth }) => depth), -1) + 1,
    at: new Date().toISOString(),
  };
}

/** Returns the first events of a run. */
export const firstEvents = (start: Emission[], correlationId: string): Event[] =>
  start.map((emission, index) => ({ ...eventOf(emission, "start", [], []), seq: index + 1, correlationId }));
