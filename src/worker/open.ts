import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { authKeys } from "../auth/user.ts";
import { PostgresCache } from "../cache/cache.ts";
import { EnsembleSaver, LostRight, type SaverAttempt } from "../checkpoints/saver.ts";
import { isDatabaseTrouble } from "../db/failure.ts";
import { unlessRefused } from "../db/refused.ts";
import type { Db } from "../db/sql.ts";
import type { EffectMemory } from "../effects/effect.ts";
import { findEffect, storeEffect } from "../effects/effects.ts";
import type { AnyGraph } from "../registry/registry.ts";
import type { RunResources } from "../resources/with-resources.ts";
import type { Claim } from "../runs/claim.ts";
import { EnsembleStore } from "../store/store.ts";
import { type Attempt, graphIdOf } from "./attempt.ts";
import { stopReasonOf } from "./control.ts";
import { graphVersion, type StartingPoint, startingPoint } from "./resumption.ts";
import { tryToStore } from "./steps.ts";

/** A graph that is ready to be run by one attempt. */
export interface OpenGraph {
  graph: AnyGraph;
  start: StartingPoint;
  effects: EffectMemory;
  /** Lets the nodes of this attempt acquire the shared resources of the service. */
  resources: RunResources;
  /** The handlers that trace the graph. Undefined if the operator has not turned on tracing. */
  callbacks: BaseCallbackHandler[] | undefined;
  /** LangGraph calls this function with a node's name when the node has finished. */
  onNodeFinished: (name: string) => void;
}

/**
 * Opens the run's graph for this attempt. The graph's saver writes only while the attempt has the right to write. Also finds out whether
 * the attempt starts with the run's input or continues from a checkpoint.
 */
export async function open(attempt: Attempt): Promise<OpenGraph> {
  const { claim, control, deps, journal, spans } = attempt;
  // The first event names the attempt, so that clients know to which attempt the following events belong.
  journal.push({ event: "metadata", data: JSON.stringify({ run_id: claim.runId, attempt: claim.attempt }) });
  const refused = (reason: Error) => control.stop(stopReasonOf(reason));
  const stored = <T>(work: () => Promise<T>) => unlessRefused(work, () => tryToStore(deps.pool, claim));
  const node: { current?: string } = {};
  const saving: SaverAttempt = {
    fence: claim,
    isFresh: claim.isFresh,
    refused,
    room: journal.room,
    store: journal.store,
    unlessRefused: stored,
    currentNode: () => node.current,
    nested: spans,
  };
  const graph = await openGraph(attempt, saving);
  const start = await stored(() => startingPoint(attempt, graph)).catch((error) => {
    if (isDatabaseTrouble(error)) refused(error);
    throw error;
  });
  return {
    graph,
    start,
    effects: effectMemory(deps.pool, claim, refused),
    resources: deps.broker.forRun({ fence: claim, priority: claim.priority, lostRight: () => new LostRight(claim), refused }),
    callbacks: deps.tracing?.callbacks(),
    onNodeFinished: (name) => {
      node.current = name;
    },
  };
}

async function openGraph(attempt: Attempt, saving: SaverAttempt): Promise<AnyGraph> {
  const { claim, deps, log } = attempt;
  const { pool, registry } = deps;
  const { config, context } = claim.kwargs;
  const metadata = checkpointMetadata(claim);
  const graph = await registry.open(graphIdOf(claim), {
    config: { configurable: { ...config.configurable, ...authKeys(claim.user) }, context: context ?? undefined, metadata: claim.metadata },
    checkpointer: new EnsembleSaver(pool, metadata, saving),
    store: new EnsembleStore(pool, { rules: deps.store, fence: claim, refused: () => loseRight(claim, saving) }),
  });
  const version = graphVersion(graph, registry.version(graphIdOf(claim)));
  metadata.graph_version = version;
  attempt.graphVersion = version;
  // Cached results belong to one version of the graph, because another version may compute other results. If the graph was compiled with a
  // cache of its own, it keeps that cache.
  graph.cache ??= new PostgresCache(pool, {
    scope: `${graphIdOf(claim)}@${version}`,
    fence: claim,
    onTrouble: (err) => log.warn({ err }, "the result cache could not be used"),
  });
  return graph;
}

function loseRight(claim: Claim, { refused }: SaverAttempt): never {
  const lost = new LostRight(claim);
  refused(lost);
  throw lost;
}

/**
 * Returns the object that stores the results of `effect()`. It writes only while the attempt has the right to write. If a write fails, the
 * attempt stops, so that the failure does not look like an error of the node.
 */
function effectMemory(db: Db, claim: Claim, refused: SaverAttempt["refused"]): EffectMemory {
  const orRefuse = (error: Error): never => {
    refused(error);
    throw error;
  };
  return {
    runId: claim.runId,
    durability: claim.kwargs.durability,
    find: (taskId, name) => findEffect(db, claim.runId, taskId, name).catch(orRefuse),
    async store(taskId, name, result) {
      if (!(await storeEffect(db, claim, taskId, name, result).catch(orRefuse))) orRefuse(new LostRight(claim));
    },
  };
}

/** Returns the metadata that each checkpoint of this attempt has in addition to LangGraph's own metadata. */
function checkpointMetadata({ kwargs, metadata, attempt }: Claim): Record<string, unknown> {
  const own = Object.entries(kwargs.config.configurable ?? {}).filter(
    ([key, value]) => !key.startsWith("__") && !key.startsWith("checkpoint_") && !key.startsWith("langgraph_auth") && isPlain(value),
  );
  return { ...Object.fromEntries(own), ...metadata, run_attempt: attempt };
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
