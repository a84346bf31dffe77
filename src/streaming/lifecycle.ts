import type { Draft } from "./event.ts";
import { nodeOf } from "./filter.ts";

export type Status = "started" | "running" | "completed" | "failed" | "interrupted";

/** A place in a run's tree: the run itself, a subgraph, or a node that tells something. */
export interface Place {
  namespace: string[];
  graphName: string;
  status: Status;
}

/** Keeps the tree of a run, and tells what becomes of its places. */
export interface Lifecycle {
  /** The run begins, or another attempt at it: what had failed below may be done again. */
  run(): Draft[];
  /** Something happens at a place: it is there, and so are those above it. */
  at(namespace: string[]): Draft[];
  /** A place below is done; it is named as the task that makes it. */
  finish(namespace: string[], status: Status): Draft[];
  /** The run is over, and with it whatever is still going on below. */
  end(status: Status, error?: string): Draft[];
  /** A task is known to be a named agent, and perhaps which tool call it answers. */
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
    return agentName !== undefined && toolCallId !== undefined ? tell(place, { cause: toolCause(toolCallId) }) : tell(place);
  }

  function change(place: Place, status: Status): Draft {
    place.status = status;
    return tell(place);
  }

  return {
    run() {
      for (const [key, { status }] of places) if (status === "failed") places.delete(key);
      if (places.has("")) return [];
      const root: Place = { namespace: [], graphName: graphId, status: "running" };
      places.set("", root);
      return [tell(root)];
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
      return [...open.map((place) => change(place, status)), tell(root, error === undefined ? {} : { error })];
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

function tell({ namespace, graphName, status }: Place, more: object = {}): Draft {
  return { method: "lifecycle", namespace, data: JSON.stringify({ event: status, graph_name: graphName, ...more }) };
}
