import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { ChatGenerationChunk, ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { noteSign } from "./metrics/open-call.ts";

/** The methods with which a chat model produces messages. LangChain calls one of these methods for each model call. */
interface Speaker {
  _generate(...call: unknown[]): Promise<ChatResult>;
  _streamResponseChunks(...call: unknown[]): AsyncGenerator<ChatGenerationChunk>;
  _streamChatModelEvents(...call: unknown[]): AsyncGenerator<{ event: string; id?: string }>;
  [isPatched]?: true;
}

const isPatched = Symbol("gives its messages ids of their own");

/**
 * Removes the endpoint's id from each message of a model, so that LangChain gives the message a unique id. Some endpoints use an id twice,
 * and the second message would then replace the first one in the conversation. Also adds the name of the answering model to each message,
 * because ChatOpenAI omits the name from streamed messages.
 */
export function withOwnIds<Model extends Runnable>(model: Model): Model {
  const speaker = ("bound" in model ? model.bound : model) as unknown as Speaker;
  if (speaker[isPatched]) return model;
  speaker[isPatched] = true;
  const plain = BaseChatModel.prototype as unknown as Speaker;
  const { _generate: generate, _streamResponseChunks: chunks, _streamChatModelEvents: events } = speaker;
  speaker._generate = async (...call) => {
    const result = await generate.apply(speaker, call);
    for (const { message } of result.generations) message.id = undefined;
    return result;
  };
  // This method is replaced only if the model already overrides it. LangChain streams from every model that overrides this method.
  if (chunks !== plain._streamResponseChunks) {
    speaker._streamResponseChunks = async function* (...call) {
      for await (const chunk of chunks.apply(speaker, call)) {
        noteSign();
        chunk.message.id = undefined;
        const answered: unknown = chunk.generationInfo?.model_name;
        if (answered) chunk.message.response_metadata = { ...chunk.message.response_metadata, model_name: answered };
        yield chunk;
      }
    };
  }
  if (events && events !== plain._streamChatModelEvents) {
    speaker._streamChatModelEvents = async function* (...call) {
      for await (const event of events.apply(speaker, call)) {
        noteSign();
        yield event.event === "message-start" ? { ...event, id: undefined } : event;
      }
    };
  }
  return model;
}
