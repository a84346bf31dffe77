import type { Draft } from "./event.ts";
import { nodeOf } from "./filter.ts";

export type Status = "started" | "running" | "completed" | "failed" | "interrupted";

/** A place in a run's tree: the run itself, a subgraph, or a node with events. */
export interface Place {
  namespace: string[];
  graphName: string;
  status: Status;
}

/** Tracks the tree of a run, and returns the drafts of its places' status changes. */
export interface Lifecycle {
  /** Starts the run or another attempt at it. Failed places are forgotten, because they may run again. */
  run(): Draft[];
  /** Starts a place and those above it, if they have not started yet. */
  at(namespace: string[]): Draft[];
  /** Finishes a place below the root. Its namespace names the task that runs there. */
  finish(namespace: string[], status: Status): Draft[];
  /** Ends the run and every open place below it. */
  end(status: Status, error?: string): Draft[];
  /** Stores the agent's name of a task, or the tool call that it answers. */
  identify(task: { namespace: string[]; agentName?: string | undefined; toolCallId?: string | undefined }): void;
  readonly places: Place[];
}

const keyOf = (namespace: string[]) => namespace.join("|");

export function createLifecycle(graphId: string): Lifecycle {
  const places = new Map<string, Place>();
  const agents = new Map<string, string>();
  const toolCalls = new Map<string, string>();

  function start(namespace: string[]): Draft {
    const key = keyOf(namespace);
    const agentName = agents.get(key);
    const place: Place = { namespace, graphName: agentName ?? nodeOf(namespace.at(-1) ?? ""), status: "started" };
    places.set(key, place);
    const toolCallId = toolCalls.get(key);
    return agentName !== undefined && toolCallId !== undefined ? toDraft(place, { cause: toolCause(toolCallId) }) : toDraft(place);
  }

  function change(place: Place, status: Status): Draft {
    place.status = status;
    return toDraft(place);
  }

  return {
    run() {
      for (const [key, { status }] of places) if (status === "failed") places.delete(key);
      if (places.has("")) return [];
      const root: Place = { namespace: [], graphName: graphId, status: "running" };
      places.set("", root);
      return [toDraft(root)];
    },
    at(namespace) {
      const drafts: Draft[] = [];
      for (let length = 1; length <= namespace.length; length++) {
        const prefix = namespace.slice(0, length);
        if (!places.has(keyOf(prefix))) drafts.push(start(prefix));
      }
      return drafts;
    },
    finish(namespace, status) {
      const place = places.get(keyOf(namespace));
      return place?.status === "started" ? [change(place, status)] : [];
    },
    end(status, error) {
      const root = places.get("") ?? { namespace: [], graphName: graphId, status };
      places.set("", root);
      const open = [...places.values()].filter((place) => place.status === "started");
      root.status = status;
      return [...open.map((place) => change(place, status)), toDraft(root, error === undefined ? {} : { error })];
    },
    identify({ namespace, agentName, toolCallId }) {
      const key = keyOf(namespace);
      if (agentName !== undefined && !agents.has(key)) agents.set(key, agentName);
      if (toolCallId !== undefined) toolCalls.set(key, toolCallId);
    },
    get places() {
      return [...places.values()];
    },
  };
}

const toolCause = (toolCallId: string) => ({ type: "toolCall", tool_call_id: toolCallId });

function toDraft({ namespace, graphName, status }: Place, more: object = {}): Draft {
  return { method: "lifecycle", namespace, data: JSON.stringify({ event: status, graph_name: graphName, ...more }) };
}
