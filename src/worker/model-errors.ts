import { BaseCallbackHandler, type HandleLLMNewTokenCallbackFields } from "@langchain/core/callbacks/base";
import type { Serialized } from "@langchain/core/load/serializable";
import type { BaseMessage } from "@langchain/core/messages";

/** A message that remains incomplete, because the model call that streamed it failed. */
export interface BrokenMessage {
  /** The namespace of the task that called the model. */
  namespace: string[];
  id: string;
  message: string;
}

interface Speaking {
  namespace: string[];
  /**
   * The newest token of the message, which later yields the id of the message. LangGraph sets this id on the token, but only after the
   * handler for the token has returned.
   */
  token?: BaseMessage;
}

/** Records each model call that fails in the middle of a message. LangGraph's stream does not report such failures. */
export class ModelErrors extends BaseCallbackHandler {
  name = "ensemble_model_errors";
  override ignoreChain = true;
  override ignoreAgent = true;
  override ignoreRetriever = true;
  override ignoreCustomEvent = true;
  override awaitHandlers = true;
  readonly #speaking = new Map<string, Speaking>();
  #broken: BrokenMessage[] = [];

  /**
   * Returns the broken messages of a namespace and of the namespaces below it, and removes them from the list. Call it after the task of
   * that namespace has ended, because the tokens of a message may arrive until then.
   */
  take(place: string[] = []): BrokenMessage[] {
    const isDue = ({ namespace }: BrokenMessage) => place.every((segment, index) => segment === namespace[index]);
    const due = this.#broken.filter(isDue);
    if (due.length > 0) this.#broken = this.#broken.filter((one) => !isDue(one));
    return due;
  }

  override handleChatModelStart(
    _model: Serialized,
    _messages: BaseMessage[][],
    runId: string,
    _parentRunId?: string,
    _params?: Record<string, unknown>,
    _tags?: string[],
    metadata?: Record<string, unknown>,
  ): void {
    const namespace = metadata?.langgraph_checkpoint_ns;
    if (typeof namespace === "string") this.#speaking.set(runId, { namespace: namespace.split("|") });
  }

  override handleLLMNewToken(
    _token: string,
    _at: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: string[],
    fields?: HandleLLMNewTokenCallbackFields,
  ): void {
    const speaking = this.#speaking.get(runId);
    const chunk = fields?.chunk;
    if (speaking && chunk && "message" in chunk) speaking.token = chunk.message as BaseMessage;
  }

  override handleLLMEnd(_output: unknown, runId: string): void {
    this.#speaking.delete(runId);
  }

  override handleLLMError(error: unknown, runId: string): void {
    const speaking = this.#speaking.get(runId);
    this.#speaking.delete(runId);
    const id = speaking?.token?.id;
    if (speaking && id)
      this.#broken.push({ namespace: speaking.namespace, id, message: error instanceof Error ? error.message : String(error) });
  }
}
