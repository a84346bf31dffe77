import type { Draft } from "./event.ts";
import { nodeOf } from "./filter.ts";

export type Status = "started" | "running" | "completed" | "failed" | "interrupted";

/**
 * A part of a run whose status clients see: the run itself, a subgraph, or a node. A node is included only once it has emitted an event.
 */
export interface Place {
  namespace: string[];
  graphName: string;
  status: Status;
}

const keyOf = (namespace: string[]) => namespace.join("|");

/**
 * Tracks the status of a run, of its subgraphs, and of those nodes that have emitted events. Each method changes statuses, and returns a
 * protocol event for each change. These events get their numbers later.
 */
export class Lifecycle {
  readonly #graphId: string;
  readonly #places = new Map<string, Place>();
  readonly #agents = new Map<string, string>();
  readonly #toolCalls = new Map<string, string>();

  constructor(graphId: string) {
    this.#graphId = graphId;
  }

  get places(): Place[] {
    return [...this.#places.values()];
  }

  /**
   * Marks the run as running. If this is a later attempt of the run, forgets the subgraphs and nodes that have failed, because the attempt
   * may start them again.
   */
  run(): Draft[] {
    for (const [key, { status }] of this.#places) if (status === "failed") this.#places.delete(key);
    if (this.#places.has("")) return [];
    const root: Place = { namespace: [], graphName: this.#graphId, status: "running" };
    this.#places.set("", root);
    return [toDraft(root)];
  }

  /** Marks the subgraph or node at a namespace as started, if it is not marked yet. Also marks the subgraphs and nodes that contain it. */
  at(namespace: string[]): Draft[] {
    const drafts: Draft[] = [];
    for (let length = 1; length <= namespace.length; length++) {
      const prefix = namespace.slice(0, length);
      if (!this.#places.has(keyOf(prefix))) drafts.push(this.#start(prefix));
    }
    return drafts;
  }

  /**
   * Sets the final status of the subgraph or node at a namespace, if its status is `started`. The last segment of `namespace` identifies
   * the node's task.
   */
  finish(namespace: string[], status: Status): Draft[] {
    const place = this.#places.get(keyOf(namespace));
    return place?.status === "started" ? [change(place, status)] : [];
  }

  /**
   * Sets the final status of the run. Sets the same status for every subgraph and node that has started but not ended. `details` become
   * fields of the event about the run itself.
   */
  end(status: Status, details?: object): Draft[] {
    const root = this.#places.get("") ?? { namespace: [], graphName: this.#graphId, status };
    this.#places.set("", root);
    const open = this.places.filter((place) => place.status === "started");
    root.status = status;
    return [...open.map((place) => change(place, status)), toDraft(root, details)];
  }

  /**
   * Stores the name of the agent at a namespace, or the id of the tool call that started this agent. The event that reports the agent's
   * start then contains the name. It also contains the id, if both are known by then.
   */
  identify({ namespace, agentName, toolCallId }: { namespace: string[]; agentName?: string | undefined; toolCallId?: string | undefined }) {
    const key = keyOf(namespace);
    if (agentName !== undefined && !this.#agents.has(key)) this.#agents.set(key, agentName);
    if (toolCallId !== undefined) this.#toolCalls.set(key, toolCallId);
  }

  #start(namespace: string[]): Draft {
    const key = keyOf(namespace);
    const agentName = this.#agents.get(key);
    const place: Place = { namespace, graphName: agentName ?? nodeOf(namespace.at(-1) ?? ""), status: "started" };
    this.#places.set(key, place);
    const toolCallId = this.#toolCalls.get(key);
    return agentName !== undefined && toolCallId !== undefined ? toDraft(place, { cause: toolCause(toolCallId) }) : toDraft(place);
  }
}

function change(place: Place, status: Status): Draft {
  place.status = status;
  return toDraft(place);
}

const toolCause = (toolCallId: string) => ({ type: "toolCall", tool_call_id: toolCallId });

function toDraft({ namespace, graphName, status }: Place, more: object = {}): Draft {
  return { method: "lifecycle", namespace, data: JSON.stringify({ event: status, graph_name: graphName, ...more }) };
}
