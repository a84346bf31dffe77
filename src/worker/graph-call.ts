import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Pool } from "pg";
import { authKeys } from "../auth/user.ts";
import { PostgresCache } from "../cache/cache.ts";
import { forgetAnswersOfRun, lastCheckpointOfRun } from "../checkpoints/lifecycle.ts";
import { EnsembleSaver, LostRight, type SaverAttempt } from "../checkpoints/saver.ts";
import { holdRight } from "../db/fence.ts";
import { type Db, transaction } from "../db/sql.ts";
import type { EffectMemory } from "../effects/effect.ts";
import { findEffect, storeEffect } from "../effects/effects.ts";
import type { AnyGraph } from "../registry/registry.ts";
import type { Claim } from "../runs/claim.ts";
import { toCommand } from "../state/command.ts";
import { EnsembleStore } from "../store/store.ts";
import { addressAnswer, examineCheckpoint, GraphChanged, graphVersion } from "./resumption.ts";
import type { WorkerDeps } from "./worker-deps.ts";

/** A graph made ready for one attempt. */
export interface GraphCall {
  graph: AnyGraph;
  version: string;
  effects: EffectMemory;
  /** What traces the call, if anybody wants that. */
  callbacks: BaseCallbackHandler[] | undefined;
  /** To be called with a node's name when it has finished. */
  onNodeFinished: (name: string) => void;
}

/** Opens the run's graph with a saver that writes under the attempt's fence. */
export async function openGraph(
  { pool, registry, store, log, tracing }: WorkerDeps,
  claim: Claim,
  attempt: Omit<SaverAttempt, "currentNode">,
): Promise<GraphCall> {
  let node: string | undefined;
  const metadata = checkpointMetadata(claim);
  const saver = new EnsembleSaver(pool, metadata, { ...attempt, currentNode: () => node });
  const { config, context } = claim.kwargs;
  const graph = await registry.open(graphIdOf(claim), {
    config: { configurable: { ...config.configurable, ...authKeys(claim.user) }, context: context ?? undefined, metadata: claim.metadata },
    checkpointer: saver,
    store: new EnsembleStore(pool, {
      rules: store,
      fence: claim,
      refused: () => {
        const lost = new LostRight(claim);
        attempt.refused(lost);
        throw lost;
      },
    }),
  });
  const version = graphVersion(graph, registry.version(graphIdOf(claim)));
  metadata.graph_version = version;
  // Only now, because results of another version of the graph are not its own. A cache that the graph was compiled with is its author's choice.
  graph.cache ??= new PostgresCache(pool, {
    scope: `${graphIdOf(claim)}@${version}`,
    fence: claim,
    onTrouble: (err) => log.warn({ err, runId: claim.runId }, "the result cache could not be used"),
  });
  return {
    graph,
    version,
    callbacks: tracing?.callbacks(),
    effects: effectMemory(pool, claim, attempt.refused),
    onNodeFinished: (name) => {
      node = name;
    },
  };
}

/** What `effect` remembers by, under the attempt's fence. What fails here is the attempt's trouble, not the node's. */
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

/** What every checkpoint of this attempt says of itself, beside LangGraph's own metadata. */
function checkpointMetadata({ kwargs, metadata, attempt }: Claim): Record<string, unknown> {
  const own = Object.entries(kwargs.config.configurable ?? {}).filter(
    ([key, value]) => !key.startsWith("__") && !key.startsWith("checkpoint_") && !key.startsWith("langgraph_auth") && isPlain(value),
  );
  return { ...Object.fromEntries(own), ...metadata, run_attempt: attempt };
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

export interface StartingPoint {
  input: unknown;
  /** Keys to take out of the configurable; absent, not undefined: LangGraph looks for the key. */
  without: string[];
  /** An earlier attempt had come to where the run was to stop, and only could not say so any more. */
  atBreakpoint: boolean;
}

/**
 * A first attempt begins as the caller said. A later one goes on from the run's own checkpoint, or begins again exactly as the first
 * when none was stored. Whoever goes on must still understand what is stored.
 */
export async function startingPoint(
  { pool }: WorkerDeps,
  claim: Claim,
  { graph, version }: GraphCall,
  onGraphChange: "continue" | "refuse",
): Promise<StartingPoint> {
  const { runId, threadId, attempt } = claim;
  const { command, input } = claim.kwargs;
  const ofThisRun = attempt > 1 && (await lastCheckpointOfRun(pool, threadId, runId)) !== undefined;
  if (attempt > 1 && !ofThisRun) await forgetAnswers(pool, claim);
  if (!ofThisRun && !command && input !== null) return { input, without: [], atBreakpoint: false };

  const found = await examineCheckpoint(pool, graph, claim, ofThisRun);
  if (onGraphChange === "refuse" && found.version !== undefined && found.version !== version) {
    throw new GraphChanged(
      `The thread was written by version ${found.version} of the graph; this is ${version} (ENSEMBLE_ON_GRAPH_CHANGE).`,
    );
  }
  if (ofThisRun) return { input: null, without: ["checkpoint_id", "checkpoint_ns", "checkpoint_map"], atBreakpoint: found.atBreakpoint };
  return { input: command ? toCommand(await addressAnswer(pool, claim, command)) : input, without: [], atBreakpoint: false };
}

async function forgetAnswers(pool: Pool, claim: Claim): Promise<void> {
  await transaction(pool, async (tx) => {
    if (!(await holdRight(tx, claim))) throw new LostRight(claim);
    await forgetAnswersOfRun(tx, claim.threadId, claim.runId);
  });
}

export function graphIdOf({ kwargs }: Claim): string {
  return String(kwargs.config.configurable?.graph_id);
}
