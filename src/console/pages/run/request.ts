import { answerOf, api } from "../../api.ts";
import type { paths } from "../../api-types.ts";
import type { Run, RunPath } from "./data.ts";

type RunBody = NonNullable<paths["/threads/{threadId}/runs"]["post"]["requestBody"]>["content"]["application/json"];

/** The part of a request that the service stores with its run. Two fields have other names in the stored form than in the request. */
type Kwargs = Omit<RunBody, "assistant_id"> & { subgraphs?: boolean; resumable?: boolean };

const post = (threadId: string, body: RunBody) => answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId } }, body }));

/** The keys of `configurable` that the service sets for each run. A repeated run must not copy them from the earlier run. */
const ownKeys = ["run_id", "thread_id", "graph_id", "assistant_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map"];

/** Returns a request for a new run with the settings of this run. */
export function bodyLike({ assistant_id, metadata, kwargs }: Run): RunBody {
  const { input, command, config, context, webhook, interrupt_before, interrupt_after, stream_mode, durability, ...more } =
    kwargs as Kwargs;
  const configurable = Object.fromEntries(Object.entries(config?.configurable ?? {}).filter(([key]) => !ownKeys.includes(key)));
  const { graph_id: _, assistant_id: __, ...kept } = metadata;
  const same = { input, command, context, webhook, interrupt_before, interrupt_after, durability };
  return {
    ...same,
    assistant_id,
    metadata: kept,
    config: { ...config, configurable },
    ...(stream_mode && { stream_mode }),
    stream_subgraphs: more.subgraphs ?? false,
    stream_resumable: more.resumable ?? false,
  };
}

/**
 * Creates a run with the same assistant, input, config and context as `run`. On the same thread, the new run begins with the current state
 * of the thread.
 */
export async function rerun(run: Run, onNewThread: boolean): Promise<Run> {
  const threadId = onNewThread ? (await answerOf(api.POST("/threads", { body: {} }))).thread_id : run.thread_id;
  return post(threadId, bodyLike(run));
}

export interface Fork {
  checkpointId: string;
  /** Values that are written to the state before the run begins. */
  update?: Record<string, unknown>;
  /** The node that counts as the author of the values. Undefined means that the service chooses the node. */
  asNode?: string;
  /** A new input for the graph. Without it, the run continues with the next step of the checkpoint. */
  input?: unknown;
}

/** Creates a run that begins at a checkpoint, as a new branch of the thread. */
export async function fork(run: Run, { checkpointId, update, asNode, input }: Fork): Promise<Run> {
  const from = update ? await writeState(run.thread_id, { checkpointId, update, ...(asNode && { asNode }) }) : checkpointId;
  return post(run.thread_id, { ...bodyLike(run), command: null, input: input ?? null, checkpoint: { checkpoint_id: from } });
}

async function writeState(threadId: string, { checkpointId, update, asNode }: Fork): Promise<string> {
  const body = { values: update ?? {}, checkpoint_id: checkpointId, ...(asNode && { as_node: asNode }) };
  const answer = await answerOf(api.POST("/threads/{threadId}/state", { params: { path: { threadId } }, body }));
  return (answer as unknown as { checkpoint: { checkpoint_id: string } }).checkpoint.checkpoint_id;
}

/** Stops a run. "rollback" also deletes the run and its checkpoints. */
export const cancelRun = (path: RunPath, action: "interrupt" | "rollback") =>
  answerOf(api.POST("/threads/{threadId}/runs/{runId}/cancel", { params: { path, query: { action, wait: true } } }));

export const deleteRun = (path: RunPath) => answerOf(api.DELETE("/threads/{threadId}/runs/{runId}", { params: { path } }));
