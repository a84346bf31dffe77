import type { Run, State } from "./data.ts";
import type { Followed } from "./follow.ts";
import type { RunningNode } from "./spans.ts";

/**
 * Returns the nodes that run now. If the run streams its tasks, these are the nodes from its stream, including those in subgraphs.
 * Otherwise they are the unfinished tasks of the last checkpoint.
 */
export function runningNodes({ status, kwargs }: Run, state: State | null | undefined, { running }: Followed): RunningNode[] {
  if (status !== "running") return [];
  const streamsTasks = Array.isArray(kwargs.stream_mode) && kwargs.stream_mode.includes("tasks");
  if (streamsTasks) return running;
  return (state?.tasks ?? []).flatMap(({ id, name, result }) =>
    typeof name === "string" && (result === undefined || result === null) ? [{ id: String(id), path: name }] : [],
  );
}
