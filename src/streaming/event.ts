import { numbersForEnd, numbersPerEvent } from "../runs/event-base.ts";

/** The method of a protocol event, which says what it is about. */
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

/** An event before it has its number. */
export interface Draft {
  method: Method;
  namespace: string[];
  /** The node that it came from. */
  node?: string | undefined;
  /** The channel of a custom event that has a name. */
  name?: string | undefined;
  /** JSON text. */
  data: string;
}

/** An event of a thread in its wire form, and the fields that filters match. */
export interface ThreadEvent {
  /** Rises over all runs of the thread. It is also the event's id. */
  seq: number;
  method: Method;
  namespace: string[];
  name: string | undefined;
  json: string;
}

/**
 * Numbers the drafts of one logged event. The first draft gets 1, because classic followers of the thread see the logged event itself as 0.
 * Drafts that do not fit are left out, and their content is in the thread's state.
 */
export function numberEvents(base: number, loggedId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  return numberFrom(numberOf(base, loggedId) + 1, at, drafts.slice(0, numbersPerEvent - 1));
}

/**
 * Numbers the drafts of a run's end, after its last logged event. If they do not all fit, the last one is kept, which is the end itself.
 */
export function numberEnd(base: number, lastId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  const fitting = drafts.length < numbersForEnd ? drafts : [...drafts.slice(0, numbersForEnd - 2), ...drafts.slice(-1)];
  return numberFrom(numberOf(base, lastId + 1) + 1, at, fitting);
}

const numberFrom = (first: number, at: number, drafts: Draft[]) =>
  drafts.map((draft, index) => toEvent(first + index, Math.floor(at), draft));

/** Returns the number of a run's logged event on its thread. */
export const numberOf = (base: number, loggedId: number) => base + loggedId * numbersPerEvent;

function toEvent(seq: number, timestamp: number, { method, namespace, node, name, data }: Draft): ThreadEvent {
  const nodeField = node === undefined ? "" : `"node":${JSON.stringify(node)},`;
  const params = `{"namespace":${JSON.stringify(namespace)},"timestamp":${timestamp},${nodeField}"data":${data}}`;
  const json = `{"type":"event","event_id":"${seq}","seq":${seq},"method":"${method}","params":${params}}`;
  return { seq, method, namespace, name, json };
}
