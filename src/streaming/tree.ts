import type { Db } from "../db/sql.ts";
import { readEvents } from "../events/log.ts";
import { type BegunRun, findEndedRun } from "../runs/thread-runs.ts";
import type { Place, Status } from "./lifecycle.ts";
import { createProjection } from "./projection.ts";

/** A part of a run in the protocol's form: the run itself, a graph inside the run, or a node that has events. */
export interface TreeNode {
  namespace: string[];
  status: Status;
  graph_name: string;
  children?: TreeNode[];
}

/**
 * Returns the tree of a run with its subgraphs and nodes, built from the run's log so far. If the run has not started or its log was
 * deleted, the tree has only a root.
 */
export async function readTree(db: Db, run: Pick<BegunRun, "runId" | "graphId" | "modes">): Promise<TreeNode> {
  const projection = createProjection({ base: 0, answers: [], ...run });
  let after = -1;
  for (let more = true; more; ) {
    const page = (await readEvents(db, [{ runId: run.runId, after }])).get(run.runId);
    for (const event of page?.events ?? []) projection.project(event);
    after = page?.events.at(-1)?.id ?? after;
    more = page?.more ?? false;
  }
  const end = await findEndedRun(db, run.runId);
  if (end && end.status !== "pending" && end.status !== "running") projection.projectEnd(end);
  const root = { namespace: [], graphName: run.graphId, status: "started" as const };
  return toTree(projection.places.find(({ namespace }) => namespace.length === 0) ?? root, projection.places);
}

function toTree({ namespace, status, graphName }: Place, places: Place[]): TreeNode {
  const below = places.filter(
    (place) => place.namespace.length === namespace.length + 1 && namespace.every((segment, index) => segment === place.namespace[index]),
  );
  const children = below.map((place) => toTree(place, places));
  return { namespace, status, graph_name: graphName, ...(children.length > 0 && { children }) };
}
