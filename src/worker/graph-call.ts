import type { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { Pool } from "pg";
import { authKeys } from "../auth/user.ts";
import { PostgresCache } from "../cache/cache.ts";
import { forgetAnswersOfRun, lastCheckpointOfRun } from "../checkpoints/lifecycle.ts";
import { EnsembleSaver, LostRight, type SaverAttempt } from "../checkpoints/saver.ts";
import { holdRight } from "../db/fence.ts";
import { type Db, transaction } from "../db/sql.ts";
import { type EffectMemory, effectMemoryKey } from "../effects/effect.ts";
import { findEffect, storeEffect } from "../effects/effects.ts";
import type { AnyGraph } from "../registry/registry.ts";
import type { Claim } from "../runs/claim.ts";
import { toCommand } from "../state/command.ts";
import { EnsembleStore } from "../store/store.ts";
import type { AttemptControl } from "./attempt.ts";
import type { Journal, PendingEvent } from "./journal.ts";
import { resumingKey } from "./nested-resumption.ts";
import { addressAnswer, examineCheckpoint, GraphChanged, graphVersion } from "./resumption.ts";
import type { WorkerRooms } from "./rooms.ts";
import type { GraphChunk, StreamTranslator } from "./stream.ts";

/** LangGraph calls the function under this key with a node's name just before it stores what the node wrote. */
const nodeFinishedKey = "__pregel_node_finished";
const identityKeys = ["run_id", "thread_id", "graph_id", "assistant_id"];

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
  { pool, registry, store, log, tracing }: WorkerRooms,
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
  { pool }: WorkerRooms,
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

/** Streams the graph into the journal until it ends, or throws what it threw. */
export async function streamGraph(
  { graph, effects, callbacks, onNodeFinished }: GraphCall,
  { input, without }: StartingPoint,
  claim: Claim,
  control: AttemptControl,
  translator: StreamTranslator,
  journal: Journal,
): Promise<void> {
  const config = { ...graphConfig(claim, control, translator, without), ...(callbacks && { callbacks }) };
  config.configurable = {
    ...config.configurable,
    [nodeFinishedKey]: onNodeFinished,
    [effectMemoryKey]: effects,
    // Not in a fork that has stored nothing yet: that one is to replay.
    ...(claim.attempt > 1 && !config.configurable?.checkpoint_id && { [resumingKey]: true }),
  };
  const push = (events: PendingEvent[]) => {
    // After a stop nothing counts any more; the loops only wait for the graph to notice.
    if (!control.stopped) for (const event of events) journal.push(event);
  };
  if (translator.wantsEvents) {
    for await (const event of graph.streamEvents(input, { ...config, version: "v2" })) {
      const isChunk = event.event === "on_chain_stream" && event.run_id === claim.runId && Array.isArray(event.data.chunk);
      push(isChunk ? translator.onChunk(toChunk(event.data.chunk)) : translator.onEvent(event));
    }
  } else {
    for await (const chunk of await graph.stream(input, config)) push(translator.onChunk(toChunk(chunk as unknown[])));
  }
}

function toChunk(chunk: unknown[]): GraphChunk {
  return (chunk.length === 3 ? chunk : [[], ...chunk]) as GraphChunk;
}

function graphConfig(
  { runId, kwargs, metadata, attempt, user }: Claim,
  control: AttemptControl,
  translator: StreamTranslator,
  without: string[],
) {
  // These keys and no others: what else LangGraph reads from a config (callbacks, a store, output keys) is not the caller's to give.
  const { tags, configurable, recursion_limit, max_concurrency, run_name, metadata: configMetadata } = kwargs.config;
  const config: LangGraphRunnableConfig = {
    tags,
    runId,
    configurable: {
      ...Object.fromEntries(Object.entries(configurable ?? {}).filter(([key]) => !without.includes(key))),
      ...authKeys(user),
    },
    metadata: {
      ...(configMetadata as object | undefined),
      ...metadata,
      ...Object.fromEntries(Object.entries(configurable ?? {}).filter(([key]) => identityKeys.includes(key))),
      run_attempt: attempt,
      langgraph_host: "self-hosted",
    },
    signal: control.signal,
    control: control.graphControl,
    ...(recursion_limit !== undefined && { recursionLimit: recursion_limit }),
    ...(typeof max_concurrency === "number" && { maxConcurrency: max_concurrency }),
    ...(typeof run_name === "string" && { runName: run_name }),
    ...(kwargs.context && { context: kwargs.context }),
  };
  return {
    ...config,
    streamMode: translator.graphModes,
    subgraphs: kwargs.subgraphs,
    // LangGraph yields its short checkpoints only where it is asked in the name of streamEvents.
    ...(translator.logsEnvelopes && { version: "v2" as const }),
    durability: kwargs.durability,
    ...(kwargs.interrupt_before && { interruptBefore: kwargs.interrupt_before }),
    ...(kwargs.interrupt_after && { interruptAfter: kwargs.interrupt_after }),
  };
}

export function graphIdOf({ kwargs }: Claim): string {
  return String(kwargs.config.configurable?.graph_id);
}
