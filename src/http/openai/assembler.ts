import { z } from "zod";
import type { RunEvent } from "../../events/log.ts";
import { LoggedMessage } from "../../streaming/blocks.ts";
import type { IsFinal } from "./final-nodes.ts";
import { textOf } from "./messages.ts";

const Chunk = z.tuple([LoggedMessage, z.looseObject({ langgraph_checkpoint_ns: z.string().optional() })]);
/** A question in an event. `value` is what the graph asks. */
const Question = z.looseObject({ id: z.string().optional(), value: z.unknown().optional() });
const Values = z.looseObject({ messages: z.array(z.unknown()).optional(), __interrupt__: z.array(Question).optional() });
const Failure = z.object({ error: z.string(), message: z.string() });

export type AskedQuestion = z.output<typeof Question>;
export type Failure = z.output<typeof Failure>;

/** A message whose tokens the client gets while the model writes it. */
interface OpenMessage {
  id: string;
  node: string;
  text: string;
}

/** A message of the state, with the id by which it is recognised. A message without an id is recognised by its position. */
type StateMessage = LoggedMessage & { id: string };

/**
 * Assembles the answer from the events of a run. The answer is the text of the messages that the run adds to the state key `messages`. If a
 * node can be the last of the graph, the client gets its tokens immediately. The client gets the text of any other node when the node's
 * message is in the state.
 */
export class AnswerAssembler {
  readonly #isFinal: IsFinal;
  /** The ids of the messages that were in the state before the run. Undefined until the first state has arrived. */
  #earlier: Set<string> | undefined;
  /** The ids of the messages whose text the client already has in full. */
  readonly #told = new Set<string>();
  #open: OpenMessage | undefined;
  #messages: StateMessage[] = [];
  #text = "";
  questions: AskedQuestion[] = [];
  failure: Failure | undefined;

  constructor(isFinal: IsFinal) {
    this.#isFinal = isFinal;
  }

  /** Returns the text that this event adds to the answer. */
  onEvent({ event, data }: RunEvent): string {
    if (event === "messages") return this.#onToken(data);
    if (event === "values") return this.#onValues(data);
    if (event === "error") this.failure = Failure.safeParse(JSON.parse(data)).data ?? { error: "Error", message: "unknown" };
    return "";
  }

  /** The model's messages that the run has added to the state. */
  get added(): StateMessage[] {
    return this.#messages.filter(({ id, type }) => type === "ai" && !this.#earlier?.has(id));
  }

  /** All messages of the state at the end of the run. */
  get state(): StateMessage[] {
    return this.#messages;
  }

  /** The text that was passed on to the client so far. */
  get text(): string {
    return this.#text;
  }

  /**
   * The name of a node whose streamed text is not in the graph's state. The client has then received a text that is not the answer.
   * Undefined if the state contains the whole streamed text.
   */
  get astray(): string | undefined {
    return this.#open?.node;
  }

  #onToken(data: string): string {
    const [message, metadata] = Chunk.safeParse(JSON.parse(data)).data ?? [];
    if (!message?.tool_call_chunks || !message.id || this.#told.has(message.id)) return "";
    if (this.#open && this.#open.id !== message.id) return ""; // the text of a second message follows when that message is in the state
    const text = textOf(message.content);
    const path = (metadata?.langgraph_checkpoint_ns ?? "").split("|").map((place) => place.split(":")[0] ?? "");
    if (text === "" || !this.#isFinal(path)) return "";
    const begun = this.#open?.text ?? "";
    this.#open = { id: message.id, node: path.join(":"), text: begun + text };
    return begun === "" ? this.#append(text) : this.#tell(text);
  }

  #onValues(data: string): string {
    const values = Values.safeParse(JSON.parse(data)).data;
    if (values?.__interrupt__) this.questions = values.__interrupt__;
    if (!values?.messages) return "";
    this.#messages = values.messages.flatMap((one, index) => withId(LoggedMessage.safeParse(one).data, index));
    this.#earlier ??= new Set(this.#messages.map(({ id }) => id));
    const untold = this.added.filter(({ id }) => !this.#told.has(id));
    const open = this.#open;
    const isInState = open !== undefined && untold.some(({ id }) => id === open.id);
    const first = open && untold.find((message) => (isInState ? message.id === open.id : textOf(message.content).startsWith(open.text)));
    const finished = open && first ? this.#finish(open, first) : "";
    if (this.#open) return ""; // the other messages wait until the streamed message is in the state
    return finished + untold.map((message) => (message === first ? "" : this.#take(message))).join("");
  }

  /**
   * Returns the rest of the streamed message, which the client does not have yet, and marks the message as finished. If the message in the
   * state has a text that differs from the stream, returns an empty text and leaves the streamed message open.
   */
  #finish(open: OpenMessage, message: StateMessage): string {
    const text = textOf(message.content);
    if (!text.startsWith(open.text) && text.trim() !== open.text.trim()) return "";
    this.#told.add(message.id).add(open.id);
    this.#open = undefined;
    return this.#tell(text.slice(open.text.length));
  }

  #take(message: StateMessage): string {
    this.#told.add(message.id);
    return this.#append(textOf(message.content));
  }

  /** Adds the text of a further message to the answer, separated by an empty line from the text before it. */
  #append(text: string): string {
    return this.#tell(text !== "" && this.#text !== "" ? `\n\n${text}` : text);
  }

  #tell(text: string): string {
    this.#text += text;
    return text;
  }
}

const withId = (message: LoggedMessage | undefined, index: number): StateMessage[] =>
  message ? [{ ...message, id: message.id ?? `#${index}` }] : [];
