import { z } from "zod";
import { ServiceError } from "../../errors.ts";
import { getRun } from "../../runs/read.ts";
import { readHistory, readState } from "../../state/state.ts";
import { readTree } from "../../streaming/tree.ts";
import { Config, Id, Limit, Text } from "../schemas.ts";
import { CommandError, withParams } from "./command.ts";
import { Namespace, newestRun } from "./input-commands.ts";
import { makeLoggedRun } from "./run-commands.ts";

const Get = z.object({ namespace: Namespace.nullish(), keys: z.array(Text).max(1_000).nullish() });

/** Returns the state of the thread, or of the subgraph in the given namespace. */
export const getState = withParams(Get, async ({ deps: { pool, registry }, readable, threadId }, { namespace, keys }) => {
  const checkpoint = { checkpoint_ns: (namespace ?? []).join("|") };
  const { values, checkpoint: at } = await readState(pool, readable, registry, threadId, { checkpoint }).catch(asUnknownNamespace);
  if (!at) refuseNamespace(namespace);
  return { values: selectKeys(values, keys), ...(at && { checkpoint: { id: at.checkpoint_id, ns: at.checkpoint_ns } }) };
});

function selectKeys(values: unknown, keys: string[] | null | undefined): unknown {
  if (!keys || typeof values !== "object" || values === null) return values;
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
}

const List = z.object({ namespace: Namespace.nullish(), limit: Limit, before: Text.nullish() });

/** Lists the checkpoints of the thread, or of the subgraph in the given namespace, newest first. */
export const listCheckpoints = withParams(List, async ({ deps: { pool, registry }, readable, threadId }, { namespace, limit, before }) => {
  const query = { limit, checkpoint: { checkpoint_ns: (namespace ?? []).join("|") }, ...(before && { before }) };
  const checkpoints: object[] = [];
  try {
    for await (const { checkpoint, created_at, metadata } of readHistory(pool, readable, registry, threadId, query))
      checkpoints.push({ id: checkpoint?.checkpoint_id, timestamp: created_at, step: metadata?.step, metadata });
  } catch (error) {
    asUnknownNamespace(error as Error);
  }
  if (checkpoints.length === 0 && !before) refuseNamespace(namespace);
  return { checkpoints };
});

/**
 * Throws an error that says that nothing has run in this namespace. Does nothing for the empty namespace, which is the thread itself. Call
 * this function only if no checkpoint was found in the namespace.
 */
function refuseNamespace(namespace: string[] | null | undefined): void {
  if (namespace && namespace.length > 0)
    throw new CommandError(
      "no_such_namespace",
      `Nothing has run at ${namespace.join("|")}. agent.getTree lists the namespaces that have run.`,
    );
}

/** Converts LangGraph's error about a missing subgraph to the protocol's error for an unknown namespace. Rethrows any other error. */
function asUnknownNamespace(error: Error): never {
  if (/^Subgraph ".*" not found$/s.test(error.message)) throw new CommandError("no_such_namespace", error.message);
  throw error;
}

const Fork = z.object({ checkpoint_id: Text.min(1), input: z.unknown().optional(), config: Config.nullish() });

/** Starts a run from an earlier checkpoint of the thread. The run begins a new branch, from which the thread then continues. */
export const forkState = withParams(Fork, async (scope, { checkpoint_id, input = null, config }) => {
  const run = await makeLoggedRun(scope, async (db) => {
    const { assistant_id, kwargs } = await newestRun(db, scope.readable, scope.threadId);
    const at = { ...config, configurable: { ...config?.configurable, checkpoint_id } };
    return { assistant_id, input, config: at, context: kwargs.context };
  });
  return { run_id: run.run_id, thread_id: scope.threadId };
});

/** Returns the tree of graphs and nodes of a run, with the statuses of the nodes. Without `run_id`, uses the thread's newest run. */
export const getTree = withParams(z.object({ run_id: Id.nullish() }), async (scope, { run_id: runId }) => {
  const { pool } = scope.deps;
  const { threadId, readable } = scope;
  const run = runId
    ? await getRun(pool, readable, threadId, runId).catch((error) => {
        throw error instanceof ServiceError ? new CommandError("no_such_run", `Thread ${threadId} has no run ${runId}.`) : error;
      })
    : await newestRun(pool, readable, threadId);
  const graphId = String(run.kwargs.config.configurable?.graph_id);
  return { tree: await readTree(pool, { runId: run.run_id, graphId, modes: run.kwargs.stream_mode }) };
});
