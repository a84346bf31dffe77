import { numbersPerEvent } from "../runs/event-base.ts";

/** What an event of the protocol is about. */
export type Method =
  | "values"
  | "updates"
  | "messages"
  | "tools"
  | "lifecycle"
  | "input.requested"
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
 * under 0. What would not fit (a question for each of a thousand tasks at once) is left out, and stands in the thread's state.
 */
export function numberEvents(base: number, loggedId: number, at: number, drafts: Draft[]): ThreadEvent[] {
  const first = numberOf(base, loggedId) + 1;
  return drafts.slice(0, numbersPerEvent - 1).map((draft, index) => toEvent(first + index, Math.floor(at), draft));
}

/** The number under which a run's logged event is known on its thread. */
export const numberOf = (base: number, loggedId: number) => base + loggedId * numbersPerEvent;

function toEvent(seq: number, timestamp: number, { method, namespace, node, name, data }: Draft): ThreadEvent {
  const nodeField = node === undefined ? "" : `"node":${JSON.stringify(node)},`;
  const params = `{"namespace":${JSON.stringify(namespace)},"timestamp":${timestamp},${nodeField}"data":${data}}`;
  const json = `{"type":"event","event_id":"${seq}","seq":${seq},"method":"${method}","params":${params}}`;
  return { seq, method, namespace, name, json };
}
