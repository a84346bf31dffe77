import { numbersForEnd, numbersPerEvent } from "../runs/event-base.ts";

/** The method of a protocol event, which names the kind of event. */
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

/** A protocol event without a number. */
export interface Draft {
  method: Method;
  namespace: string[];
  /** The node that the event came from. */
  node?: string | undefined;
  /** The channel of a custom event that names one. */
  name?: string | undefined;
  /** The payload, as JSON text. */
  data: string;
}

/** A thread's event in the form that is sent, and the fields that filters match. */
export interface ThreadEvent {
  /** The event's number, which is also its id. It rises over all runs of the thread. */
  seq: number;
  method: Method;
  namespace: string[];
  name: string | undefined;
  json: string;
}

/**
 * Numbers the drafts that come from one logged event. The first draft gets offset 1, because clients of the classic thread stream see the
 * logged event itself at offset 0. Drafts that do not fit are dropped. Their content is in the thread's state.
 */
export function numberEvents(base: number, loggedId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  return numberFrom(numberOf(base, loggedId) + 1, at, drafts.slice(0, numbersPerEvent - 1));
}

/**
 * Numbers the drafts of a run's end, after its last logged event. If not all of them fit, the last one is kept, because it reports the end
 * itself.
 */
export function numberEnd(base: number, lastId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  const fitting = drafts.length < numbersForEnd ? drafts : [...drafts.slice(0, numbersForEnd - 2), ...drafts.slice(-1)];
  return numberFrom(numberOf(base, lastId + 1) + 1, at, fitting);
}

const numberFrom = (first: number, at: number, drafts: Draft[]) =>
  drafts.map((draft, index) => toEvent(first + index, Math.floor(at), draft));

/** Returns the number that a run's logged event has on its thread. */
export const numberOf = (base: number, loggedId: number) => base + loggedId * numbersPerEvent;

function toEvent(seq: number, timestamp: number, { method, namespace, node, name, data }: Draft): ThreadEvent {
  const nodeField = node === undefined ? "" : `"node":${JSON.stringify(node)},`;
  const params = `{"namespace":${JSON.stringify(namespace)},"timestamp":${timestamp},${nodeField}"data":${data}}`;
  const json = `{"type":"event","event_id":"${seq}","seq":${seq},"method":"${method}","params":${params}}`;
  return { seq, method, namespace, name, json };
}
