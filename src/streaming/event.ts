import { numbersForEnd, numbersPerEvent } from "../runs/event-base.ts";

/** The method of a protocol event, which names the kind of the event. */
export type Method =
  | "values"
  | "updates"
  | "messages"
  | "tools"
  | "lifecycle"
  | "input.requested"
  | "input.answered"
  | "checkpoints"
  | "tasks"
  | "custom"
  | "debug";

/** A protocol event that has no number yet. */
export interface Draft {
  method: Method;
  namespace: string[];
  /** The node that emitted the event. Undefined if no node is known. */
  node?: string | undefined;
  /** The channel of a custom event. Undefined if the event names none. */
  name?: string | undefined;
  /** The payload, as JSON text. */
  data: string;
}

/** A numbered event of a thread: the JSON text that clients get, and the fields that filters use. */
export interface ThreadEvent {
  /** The event's number, which is also its id. Later events of the thread have higher numbers, even in later runs. */
  seq: number;
  method: Method;
  namespace: string[];
  name: string | undefined;
  json: string;
}

/**
 * Numbers the protocol events that were made from one logged event. The first number belongs to the logged event itself, which the classic
 * thread stream sends, so these events begin with the second number. If there are more events than reserved numbers, the last ones are
 * dropped. Clients can still find their content in the thread's state.
 */
export function numberEvents(base: number, loggedId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  return numberFrom(numberOf(base, loggedId) + 1, at, drafts.slice(0, numbersPerEvent - 1));
}

/**
 * Numbers the protocol events of a run's end, which come after the last logged event. If there are more events than reserved numbers, some
 * are dropped, but never the last one, because it reports that the run has ended.
 */
export function numberEnd(base: number, lastId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  const fitting = drafts.length < numbersForEnd ? drafts : [...drafts.slice(0, numbersForEnd - 2), ...drafts.slice(-1)];
  return numberFrom(numberOf(base, lastId + 1) + 1, at, fitting);
}

const numberFrom = (first: number, at: number, drafts: Draft[]) =>
  drafts.map((draft, index) => toEvent(first + index, Math.floor(at), draft));

/** Returns the event number, within the thread, of a logged event of a run. */
export const numberOf = (base: number, loggedId: number) => base + loggedId * numbersPerEvent;

function toEvent(seq: number, timestamp: number, { method, namespace, node, name, data }: Draft): ThreadEvent {
  const nodeField = node === undefined ? "" : `"node":${JSON.stringify(node)},`;
  const params = `{"namespace":${JSON.stringify(namespace)},"timestamp":${timestamp},${nodeField}"data":${data}}`;
  const json = `{"type":"event","event_id":"${seq}","seq":${seq},"method":"${method}","params":${params}}`;
  return { seq, method, namespace, name, json };
}
