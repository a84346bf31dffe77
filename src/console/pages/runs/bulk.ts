import { answerOf, api, type PostBody, type Schemas, sentenceOf } from "../../api.ts";
import type { ChosenRun } from "./selection.ts";

export interface Problem {
  run: ChosenRun;
  sentence: string;
}

export interface Outcome {
  done: number;
  failed: Problem[];
}

/** The maximum number of requests that are sent at the same time. */
const atOnce = 6;

/** Calls `work` for each run, for a few runs at the same time. A failure does not stop the work on the other runs. */
export async function withEach(
  runs: ChosenRun[],
  work: (run: ChosenRun) => Promise<unknown>,
  onStep: (outcome: Outcome) => void,
): Promise<Outcome> {
  const outcome: Outcome = { done: 0, failed: [] };
  const left = [...runs];
  const worker = async () => {
    for (let run = left.shift(); run; run = left.shift()) {
      const current = run;
      await work(current).then(
        () => outcome.done++,
        (error) => outcome.failed.push({ run: current, sentence: sentenceOf(error) }),
      );
      onStep({ ...outcome });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return outcome;
}

const pathOf = ({ thread_id, run_id }: ChosenRun) => ({ path: { threadId: thread_id, runId: run_id } });

export const isOpen = ({ status }: ChosenRun): boolean => status === "pending" || status === "running";

export const cancelRun = (run: ChosenRun) => answerOf(api.POST("/threads/{threadId}/runs/{runId}/cancel", { params: pathOf(run) }));

export const deleteRun = (run: ChosenRun) => answerOf(api.DELETE("/threads/{threadId}/runs/{runId}", { params: pathOf(run) }));

/** The keys of `configurable` that the service sets for each run. A repeated run must not copy them from the earlier run. */
const ownKeys = ["run_id", "thread_id", "graph_id", "assistant_id"];
const checkpointKeys = ["checkpoint_id", "checkpoint_ns", "checkpoint_map"];

/**
 * Creates a run with the assistant, the input and the settings of the chosen run. If the chosen run began at a checkpoint that its request
 * named, a new run on the same thread begins there too.
 */
export async function retryRun(chosen: ChosenRun, onNewThread: boolean): Promise<Schemas["Run"]> {
  const run = await answerOf(api.GET("/threads/{threadId}/runs/{runId}", { params: pathOf(chosen) }));
  const threadId = onNewThread ? (await answerOf(api.POST("/threads", { body: {} }))).thread_id : run.thread_id;
  return answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId } }, body: bodyOf(run, onNewThread) }));
}

function bodyOf({ assistant_id, metadata, kwargs }: Schemas["Run"], onNewThread: boolean) {
  const { input, command, config, context, webhook, interrupt_before, interrupt_after, stream_mode, subgraphs, durability } =
    kwargs as Kwargs;
  const dropped = onNewThread ? [...ownKeys, ...checkpointKeys] : ownKeys;
  const configurable = Object.fromEntries(Object.entries(config?.configurable ?? {}).filter(([key]) => !dropped.includes(key)));
  const { graph_id, assistant_id: _, ...kept } = metadata;
  return {
    assistant_id,
    metadata: kept,
    input,
    command,
    context,
    config: { ...config, configurable },
    webhook,
    interrupt_before,
    interrupt_after,
    stream_mode,
    stream_subgraphs: subgraphs,
    durability,
    multitask_strategy: "enqueue" as const,
  };
}

type Kwargs = PostBody<"/threads/{threadId}/runs"> & { subgraphs?: boolean };
