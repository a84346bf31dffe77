import type { RunnableConfig } from "@langchain/core/runnables";
import type { StreamMode as GraphMode } from "@langchain/langgraph";
import { isReservedKey } from "../auth/user.ts";
import type { RunKwargs, StreamMode } from "../runs/run.ts";
import { toStreamedTaskCheckpoint, toWireCheckpoint } from "../state/snapshot.ts";
import { wireJson } from "../state/wire-json.ts";
import type { PendingEvent } from "./event-buffer.ts";
import { createMessagesMode, type MessageChunk, messageTuple } from "./messages.ts";
import type { BrokenMessage } from "./model-errors.ts";

/** What LangGraph yields with several modes at once: the namespace comes only when subgraphs are streamed. */
export type GraphChunk = [namespace: string[], mode: GraphMode, payload: unknown];

/** Turns what the graph emits into the events that its clients asked for, and remembers what the run's end needs. */
export interface StreamTranslator {
  /** The modes to ask the graph for: those wanted, `values`, of which the last is the run's output, and `tasks`, to know what runs. */
  graphModes: GraphMode[];
  /** Whether LangChain's own events are wanted too, which cost a tracer. */
  wantsEvents: boolean;
  /** Whether LangGraph's short checkpoints go into the log, each before its values. */
  logsEnvelopes: boolean;
  onChunk(chunk: GraphChunk): PendingEvent[];
  onEvent(event: unknown): PendingEvent[];
  /** A model broke off in the middle of a message. Classic clients never hear of it: only event streaming has a word for it. */
  onBrokenMessage(broken: BrokenMessage): PendingEvent[];
  /** What the graph says when it stops at a static breakpoint, for a run that came there in an earlier attempt. */
  onBreakpoint(): PendingEvent[];
  /** The last root values, serialised; undefined when there were none. */
  readonly lastValues: string | undefined;
  /** Whether they are the last values event of the log. */
  readonly loggedValues: boolean;
  /** What the graph stopped to ask, serialised as wait answers it; undefined when it did not stop. */
  readonly interrupts: string | undefined;
}

type TranslatedKwargs = Pick<RunKwargs, "stream_mode" | "checkpoint_envelopes" | "subgraphs">;

export function createTranslator(
  { stream_mode: modes, checkpoint_envelopes: asEnvelopes = false, subgraphs }: TranslatedKwargs,
  onTask: (task: { id: string; name: string; finished: boolean }) => void,
): StreamTranslator {
  const wanted = new Set(modes);
  const logsEnvelopes = pairsCheckpoints({ modes: wanted, subgraphs });
  const messages = createMessagesMode();
  let lastValues: unknown;
  let lastValuesJson: string | undefined;
  let interrupts: unknown[] | undefined;

  function onValues(suffix: string, payload: unknown): PendingEvent[] {
    const json = wanted.has("values") ? wireJson(payload) : undefined;
    const asked = suffix === "" ? interruptsIn(payload) : undefined;
    if (asked)
      interrupts = [...(interrupts ?? []), ...asked]; // each task that asks says so in values of its own
    else if (suffix === "") {
      lastValues = payload;
      lastValuesJson = json;
    }
    return [
      ...(json === undefined ? [] : [{ event: `values${suffix}`, data: json }]),
      ...(wanted.has("messages") ? messages.onValues(payload) : []),
    ];
  }

  function noteTask({ id, name, ...rest }: { id: string; name: string }): void {
    onTask({ id, name, finished: "result" in rest });
  }

  function onMessage(suffix: string, chunk: MessageChunk): PendingEvent[] {
    return [
      ...(wanted.has("messages") ? messages.onToken(chunk) : []),
      ...(wanted.has("messages-tuple") ? [messageTuple(`messages${suffix}`, chunk)] : []),
    ];
  }

  function onChunk([namespace, mode, payload]: GraphChunk): PendingEvent[] {
    const suffix = namespace.length > 0 ? `|${namespace.join("|")}` : "";
    if (mode === "values") return onValues(suffix, payload);
    if (mode === "messages") return onMessage(suffix, payload as MessageChunk);
    if (mode === "tasks") noteTask(payload as { id: string; name: string });
    if (mode === "checkpoints" && logsEnvelopes) return [{ event: `checkpoints${suffix}`, data: wireJson(payload) }];
    if (!wanted.has(mode)) return [];
    if (mode === "checkpoints" && asEnvelopes)
      return [{ event: `checkpoints${suffix}`, data: wireJson(toEnvelope(payload as CheckpointPayload)) }];
    return [{ event: `${mode}${suffix}`, data: wireJson(presentable(mode, payload)) }];
  }

  return {
    graphModes: graphModesFor(wanted),
    wantsEvents: wanted.has("events"),
    logsEnvelopes,
    onChunk,
    onBreakpoint: () => [...onChunk([[], "updates", { __interrupt__: [] }]), ...onChunk([[], "values", { __interrupt__: [] }])],
    onBrokenMessage: ({ namespace, ...broken }) => [{ event: `messages/error|${namespace.join("|")}`, data: wireJson(broken) }],
    onEvent: (event) => (isHidden(event) ? [] : [{ event: "events", data: wireJson(event) }]),
    get lastValues() {
      if (lastValues !== undefined) lastValuesJson ??= wireJson(lastValues);
      return lastValuesJson;
    },
    get loggedValues() {
      return lastValues !== undefined && wanted.has("values");
    },
    get interrupts() {
      return interrupts && wireJson({ __interrupt__: interrupts });
    },
  };
}

/** As the official servers do: who streams the values of subgraphs learns where each stands in the history. */
function pairsCheckpoints({ modes, subgraphs }: { modes: Set<StreamMode>; subgraphs: boolean }): boolean {
  return subgraphs && (modes.has("values") || modes.has("messages")) && !modes.has("checkpoints");
}

const isHidden = (event: unknown) => ((event as { tags?: string[] }).tags ?? []).includes("langsmith:hidden");

function interruptsIn(values: unknown): unknown[] | undefined {
  if (typeof values !== "object" || values === null || !("__interrupt__" in values)) return undefined;
  return Array.isArray(values.__interrupt__) ? values.__interrupt__ : [];
}

function graphModesFor(wanted: Set<StreamMode>): GraphMode[] {
  const modes = new Set<GraphMode>(["values", "tasks"]);
  for (const mode of wanted) {
    if (mode === "messages-tuple") modes.add("messages");
    else if (mode !== "events") modes.add(mode);
  }
  return [...modes];
}

interface CheckpointPayload {
  config?: RunnableConfig;
  parentConfig?: RunnableConfig;
  metadata?: { step?: number; source?: string };
  tasks: { state?: unknown; [key: string]: unknown }[];
  [key: string]: unknown;
}

/** Checkpoints carry whole configs, with our saver in them: clients get what names a place. An error as JSON would say nothing at all. */
function presentable(mode: GraphMode, payload: unknown): unknown {
  if (mode === "tools") return presentTool(payload as { error?: unknown });
  if (mode === "checkpoints") return presentCheckpoint(payload as CheckpointPayload);
  if (mode !== "debug") return payload;
  const debug = payload as { type: string; payload: unknown };
  return debug.type === "checkpoint" ? { ...debug, payload: presentCheckpoint(debug.payload as CheckpointPayload) } : debug;
}

function presentTool(payload: { error?: unknown }): unknown {
  const { error } = payload;
  return error instanceof Error ? { ...payload, error: { name: error.name, message: error.message } } : payload;
}

/** Where a checkpoint stands in the history: its values have just been told. */
function toEnvelope({ config, parentConfig, metadata }: CheckpointPayload): unknown {
  return {
    id: toWireCheckpoint(config)?.checkpoint_id,
    parent_id: toWireCheckpoint(parentConfig)?.checkpoint_id,
    step: metadata?.step,
    source: metadata?.source,
    agent_name: config?.metadata?.lc_agent_name,
  };
}

function presentCheckpoint({ config, parentConfig, tasks, ...payload }: CheckpointPayload): unknown {
  return {
    ...payload,
    config: publicConfig(config),
    parent_config: publicConfig(parentConfig),
    checkpoint: toWireCheckpoint(config),
    parent_checkpoint: toWireCheckpoint(parentConfig),
    tasks: tasks.map(({ state, ...task }) => ({ ...task, checkpoint: toStreamedTaskCheckpoint(state as RunnableConfig | undefined) })),
  };
}

/** What LangGraph says to itself is nobody's business, and who asked for the run is not for all who may see it. */
const isPublic = ([key]: [string, unknown]) => !isReservedKey(key);

function publicConfig(config: RunnableConfig | undefined): unknown {
  if (!config) return null;
  const { callbacks, configurable = {}, ...others } = config;
  return { ...others, configurable: Object.fromEntries(Object.entries(configurable).filter(isPublic)) };
}
