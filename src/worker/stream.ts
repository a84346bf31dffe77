import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { authKeys } from "../auth/user.ts";
import { effectMemoryKey } from "../effects/effect.ts";
import { letterBoxKey } from "../letters/report.ts";
import { resumingKey } from "../patches/nested-resumption.ts";
import { watching } from "../patches/timed-calls.ts";
import { runResourcesKey } from "../resources/with-resources.ts";
import type { Attempt } from "./attempt.ts";
import { callBoxKey } from "./call-box.ts";
import type { PendingEvent } from "./event-buffer.ts";
import { ModelErrors } from "./model-errors.ts";
import type { OpenGraph } from "./open.ts";
import { startTransforming } from "./transformers.ts";
import type { GraphChunk } from "./translator.ts";

/** The config key of a function that LangGraph calls with a node's name just before it stores the node's writes. */
const nodeFinishedKey = "__pregel_node_finished";
const identityKeys = ["run_id", "thread_id", "graph_id", "assistant_id"];

/** Runs the graph until it ends, and stores its streamed chunks as events. Throws any error of the graph. */
export async function stream(attempt: Attempt, opened: OpenGraph): Promise<void> {
  const { translator, journal, spans, calls } = attempt;
  if (opened.start.atBreakpoint) for (const event of translator.onBreakpoint()) journal.push(event);
  else
    await watching
      .run(calls, () => streamGraph(attempt, opened))
      .catch((error) => {
        spans.noteFailure(Object(error).pregelTaskId, error);
        throw error;
      });
}

async function streamGraph(attempt: Attempt, opened: OpenGraph): Promise<void> {
  const { claim, control, translator, journal } = attempt;
  // Only the event streaming protocol has events for transformers and failed model calls.
  const isEventStreaming = claim.kwargs.checkpoint_envelopes === true;
  const errors = isEventStreaming ? new ModelErrors() : undefined;
  const transforming = isEventStreaming ? startTransforming(opened.graph.streamTransformers ?? [], claim) : undefined;
  const brokenIn = (place?: string[]) => (errors?.take(place) ?? []).flatMap(translator.onBrokenMessage);
  const push = (events: PendingEvent[]) => {
    // When the attempt was told to stop, its further events are not logged. The stream is still read until the graph ends.
    if (!control.stopped) for (const event of events) journal.push(event);
  };
  const onChunk = (chunk: GraphChunk) => {
    const logged = [...brokenIn(endedTask(chunk) ?? nowhere), ...translator.onChunk(chunk)];
    push(transforming ? transforming.onChunk(chunk, logged) : logged);
  };
  try {
    await readStream(attempt, opened, callConfig(attempt, opened, errors), {
      onChunk,
      onEvent: (event) => push(translator.onEvent(event)),
    });
    push([...brokenIn(), ...((await transforming?.finish()) ?? [])]);
  } catch (error) {
    push([...brokenIn(), ...(transforming?.fail(error) ?? [])]);
    throw error;
  }
}

/** A namespace that no message has. It selects no broken messages, for chunks that do not end a task. */
const nowhere = [""];

/** Returns the namespace of the task that this chunk ends, or undefined if it ends no task. */
function endedTask([namespace, mode, payload]: GraphChunk): string[] | undefined {
  if (mode !== "tasks" || !("result" in Object(payload))) return undefined;
  const { name, id } = payload as { name: string; id: string };
  return [...namespace, `${name}:${id}`];
}

interface Readers {
  onChunk(chunk: GraphChunk): void;
  onEvent(event: unknown): void;
}

async function readStream(attempt: Attempt, { graph, start }: OpenGraph, config: CallConfig, readers: Readers): Promise<void> {
  const { claim, translator } = attempt;
  if (!translator.wantsEvents) {
    for await (const chunk of await graph.stream(start.input, config)) readers.onChunk(toChunk(chunk as unknown[]));
    return;
  }
  for await (const event of graph.streamEvents(start.input, { ...config, version: "v2" })) {
    const isChunk = event.event === "on_chain_stream" && event.run_id === claim.runId && Array.isArray(event.data.chunk);
    if (isChunk) readers.onChunk(toChunk(event.data.chunk));
    else readers.onEvent(event);
  }
}

type CallConfig = ReturnType<typeof graphConfig>;

function callConfig(
  attempt: Attempt,
  { effects, resources, callbacks = [], onNodeFinished, start }: OpenGraph,
  errors: ModelErrors | undefined,
): CallConfig {
  const handlers = errors ? [...callbacks, errors] : callbacks;
  const config = { ...graphConfig(attempt, start.without), ...(handlers.length > 0 && { callbacks: handlers }) };
  config.configurable = {
    ...config.configurable,
    [nodeFinishedKey]: onNodeFinished,
    [effectMemoryKey]: effects,
    [runResourcesKey]: resources,
    [letterBoxKey]: attempt.letters,
    [callBoxKey]: attempt.box,
    // This key tells nested graphs to resume. It is not set if the attempt must start again from the checkpoint that the caller named.
    ...(attempt.claim.attempt > 1 && !config.configurable?.checkpoint_id && { [resumingKey]: true }),
  };
  return config;
}

function toChunk(chunk: unknown[]): GraphChunk {
  return (chunk.length === 3 ? chunk : [[], ...chunk]) as GraphChunk;
}

function graphConfig({ claim, control, translator }: Attempt, without: string[]) {
  const { runId, kwargs, metadata, attempt, user } = claim;
  // Only these keys of the caller's config are passed on. LangGraph also reads other keys, such as callbacks or a store, which callers must
  // not set.
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
    // LangGraph yields checkpoints without values only if the option `version` of streamEvents is set.
    ...(translator.logsEnvelopes && { version: "v2" as const }),
    durability: kwargs.durability,
    ...(kwargs.interrupt_before && { interruptBefore: kwargs.interrupt_before }),
    ...(kwargs.interrupt_after && { interruptAfter: kwargs.interrupt_after }),
  };
}
