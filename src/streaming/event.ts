import { numbersForEnd, numbersPerEvent } from "../runs/event-base.ts";

/** What an event of the protocol is about. */
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
  /** Of a custom event: the channel of its own that it goes to. */
  name?: string | undefined;
  /** JSON. */
  data: string;
}

/** An event of a thread as it goes over the wire, and what its readers choose by. */
export interface ThreadEvent {
  /** Rises along the thread, over all of its runs. It is the event's id too. */
  seq: number;
  method: Method;
  namespace: string[];
  name: string | undefined;
  json: string;
}

/**
 * Numbers what is told for one logged event of a run. The first has 1: a classic follower of the thread has the logged event itself
 * under 0. What would not fit is left out, and stands in the thread's state.
 */
export function numberEvents(base: number, loggedId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  return numberFrom(numberOf(base, loggedId) + 1, at, drafts.slice(0, numbersPerEvent - 1));
}

/** Numbers what is told for the end of a run, behind its last logged event. Whatever would not fit, the last of it is told: the end itself. */
export function numberEnd(base: number, lastId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  const fitting = drafts.length < numbersForEnd ? drafts : [...drafts.slice(0, numbersForEnd - 2), ...drafts.slice(-1)];
  return numberFrom(numberOf(base, lastId + 1) + 1, at, fitting);
}

const numberFrom = (first: number, at: number, drafts: Draft[]) =>
  drafts.map((draft, index) => toEvent(first + index, Math.floor(at), draft));

/** The number under which a run's logged event is known on its thread. */
export const numberOf = (base: number, loggedId: number) => base + loggedId * numbersPerEvent;

function toEvent(seq: number, timestamp: number, { method, namespace, node, name, data }: Draft): ThreadEvent {
  const nodeField = node === undefined ? "" : `"node":${JSON.stringify(node)},`;
  const params = `{"namespace":${JSON.stringify(namespace)},"timestamp":${timestamp},${nodeField}"data":${data}}`;
  const json = `{"type":"event","event_id":"${seq}","seq":${seq},"method":"${method}","params":${params}}`;
  return { seq, method, namespace, name, json };
}
