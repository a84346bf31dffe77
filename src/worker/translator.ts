import type { RunnableConfig } from "@langchain/core/runnables";
import type { StreamMode as GraphMode } from "@langchain/langgraph";
import { isReservedKey } from "../auth/user.ts";
import type { RunKwargs, StreamMode } from "../runs/run.ts";
import { toStreamedTaskCheckpoint, toWireCheckpoint } from "../state/snapshot.ts";
import { wireJson } from "../state/wire-json.ts";
import type { PendingEvent } from "./event-buffer.ts";
import { createMessagesMode, type MessageChunk, messageTuple } from "./messages.ts";
import type { BrokenMessage } from "./model-errors.ts";

/** A chunk of the graph's stream. The namespace is empty for chunks of the root graph. */
export type GraphChunk = [namespace: string[], mode: GraphMode, payload: unknown];

/**
 * Translates the chunks of the graph's stream into the events that clients have requested. Also keeps the last values and the questions,
 * which become the run's output.
 */
export interface StreamTranslator {
  /**
   * The stream modes to request from the graph. They are those that clients have requested, `values` for the run's output, and `tasks`,
   * which tells which nodes are running.
   */
  graphModes: GraphMode[];
  /** True if the client wants LangChain's own events, which the graph yields only if it is called with `streamEvents`. */
  wantsEvents: boolean;
  /** True if each values event comes after a checkpoint event without values, as `pairsCheckpoints` decides. */
  logsEnvelopes: boolean;
  onChunk(chunk: GraphChunk): PendingEvent[];
  onEvent(event: unknown): PendingEvent[];
  /**
   * Returns the events for a message whose model call failed before the message was complete. Only clients of the event streaming protocol
   * get such events.
   */
  onBrokenMessage(broken: BrokenMessage): PendingEvent[];
  /**
   * Returns the events of a stop at a static breakpoint. It is for a run whose earlier attempt reached the breakpoint but could not report
   * it.
   */
  onBreakpoint(): PendingEvent[];
  /** The last values of the root graph, as JSON text. Undefined if the graph has yielded no values. */
  readonly lastValues: string | undefined;
  /** True if the log has an event with `lastValues`. */
  readonly loggedValues: boolean;
  /** The questions for which the graph stopped, as JSON text in the form that `wait` returns. Undefined if it asked none. */
  readonly interrupts: string | undefined;
}

type TranslatedKwargs = Pick<RunKwargs, "stream_mode" | "checkpoint_envelopes" | "subgraphs">;

/** The start or the end of a task. At the start, `end` is undefined. The namespace is that of the graph that contains the task. */
export interface StreamedTask {
  id: string;
  name: string;
  namespace: string[];
  end?: { outcome: "success" | "interrupted" } | undefined;
}

type OnTask = (task: StreamedTask) => void;

/** Creates a translator for a run. The translator calls `onTask` whenever a node begins or finishes. */
export const createTranslator = (kwargs: TranslatedKwargs, onTask: OnTask): StreamTranslator => new Translator(kwargs, onTask);

class Translator implements StreamTranslator {
  readonly graphModes: GraphMode[];
  readonly wantsEvents: boolean;
  readonly logsEnvelopes: boolean;
  readonly #wanted: Set<StreamMode>;
  readonly #asEnvelopes: boolean;
  readonly #onTask: OnTask;
  readonly #messages = createMessagesMode();
  #lastValues: unknown;
  #lastValuesJson: string | undefined;
  #interrupts: unknown[] | undefined;

  constructor({ stream_mode: modes, checkpoint_envelopes: asEnvelopes = false, subgraphs }: TranslatedKwargs, onTask: OnTask) {
    this.#wanted = new Set(modes);
    this.#asEnvelopes = asEnvelopes;
    this.#onTask = onTask;
    this.graphModes = graphModesFor(this.#wanted);
    this.wantsEvents = this.#wanted.has("events");
    this.logsEnvelopes = pairsCheckpoints({ modes: this.#wanted, subgraphs });
  }

  get lastValues(): string | undefined {
    if (this.#lastValues !== undefined) this.#lastValuesJson ??= wireJson(this.#lastValues);
    return this.#lastValuesJson;
  }

  get loggedValues(): boolean {
    return this.#lastValues !== undefined && this.#wanted.has("values");
  }

  get interrupts(): string | undefined {
    return this.#interrupts && wireJson({ __interrupt__: this.#interrupts });
  }

  readonly onChunk = ([namespace, mode, payload]: GraphChunk): PendingEvent[] => {
    const suffix = namespace.length > 0 ? `|${namespace.join("|")}` : "";
    if (mode === "values") return this.#onValues(suffix, payload);
    if (mode === "messages") return this.#onMessage(suffix, payload as MessageChunk);
    if (mode === "tasks") this.#noteTask(namespace, payload as TaskChunk);
    if (mode === "checkpoints" && this.logsEnvelopes) return [{ event: `checkpoints${suffix}`, data: wireJson(payload) }];
    if (!this.#wanted.has(mode)) return [];
    if (mode === "checkpoints" && this.#asEnvelopes)
      return [{ event: `checkpoints${suffix}`, data: wireJson(toEnvelope(payload as CheckpointPayload)) }];
    return [{ event: `${mode}${suffix}`, data: wireJson(presentable(mode, payload)) }];
  };

  readonly onBreakpoint = (): PendingEvent[] => [
    ...this.onChunk([[], "updates", { __interrupt__: [] }]),
    ...this.onChunk([[], "values", { __interrupt__: [] }]),
  ];

  readonly onBrokenMessage = ({ namespace, ...broken }: BrokenMessage): PendingEvent[] => [
    { event: `messages/error|${namespace.join("|")}`, data: wireJson(broken) },
  ];

  readonly onEvent = (event: unknown): PendingEvent[] => (isHidden(event) ? [] : [{ event: "events", data: wireJson(event) }]);

  #onValues(suffix: string, payload: unknown): PendingEvent[] {
    const json = this.#wanted.has("values") ? wireJson(payload) : undefined;
    const asked = suffix === "" ? interruptsIn(payload) : undefined;
    if (asked)
      this.#interrupts = [...(this.#interrupts ?? []), ...asked]; // each task that asks a question yields a separate chunk with it
    else if (suffix === "") {
      this.#lastValues = payload;
      this.#lastValuesJson = json;
    }
    return [
      ...(json === undefined ? [] : [{ event: `values${suffix}`, data: json }]),
      ...(this.#wanted.has("messages") ? this.#messages.onValues(payload) : []),
    ];
  }

  #onMessage(suffix: string, chunk: MessageChunk): PendingEvent[] {
    return [
      ...(this.#wanted.has("messages") ? this.#messages.onToken(chunk) : []),
      ...(this.#wanted.has("messages-tuple") ? [messageTuple(`messages${suffix}`, chunk)] : []),
    ];
  }

  #noteTask(namespace: string[], task: TaskChunk): void {
    const { id, name, interrupts = [] } = task;
    const outcome = interrupts.length > 0 ? "interrupted" : "success";
    this.#onTask({ id, name, namespace, ...("result" in task && { end: { outcome } }) });
  }
}

interface TaskChunk {
  id: string;
  name: string;
  interrupts?: unknown[];
}

/**
 * Tells whether a checkpoint event without the checkpoint's values must come before each values event. The official servers send such
 * events if subgraphs are streamed and the client wants `values` or `messages`, but not `checkpoints`.
 */
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

/**
 * Returns the payload of a chunk in a form that clients can read. Leaves our saver out of the configs of checkpoints. Replaces each error
 * of a tool by an object with its name and message, because an error would become an empty JSON object.
 */
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

/** Returns a checkpoint's ids, step and source, without its values. */
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

/** Tells whether clients may see a key of `configurable`. LangGraph's internal keys and the user's identity are hidden. */
const isPublic = ([key]: [string, unknown]) => !isReservedKey(key);

function publicConfig(config: RunnableConfig | undefined): unknown {
  if (!config) return null;
  const { callbacks, configurable = {}, ...others } = config;
  return { ...others, configurable: Object.fromEntries(Object.entries(configurable).filter(isPublic)) };
}
