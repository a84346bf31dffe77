import {
  Annotation,
  END,
  type LangGraphRunnableConfig,
  START,
  StateGraph,
  StreamChannel,
  type StreamTransformer,
} from "@langchain/langgraph";

const State = Annotation.Root({ log: Annotation<string[]>({ reducer: (before, after) => before.concat(after), default: () => [] }) });

/**
 * A transformer that sends the names of finished nodes on its own channel, drops secret events, and finally returns the number of updates.
 */
function counting(): StreamTransformer<{ done: StreamChannel<string>; total: Promise<number> }> {
  const done = StreamChannel.remote<string>("done");
  const total = Promise.withResolvers<number>();
  let updates = 0;
  return {
    init: () => ({ done, total: total.promise }),
    process({ method, params }) {
      if (method === "updates") {
        updates++;
        done.push(String(Object(params.data).node));
      }
      return !(method === "custom" && Object(params.data).payload === "secret");
    },
    finalize: () => total.resolve(updates),
    fail: (error) => total.reject(error),
  };
}

const say =
  (word: string) =>
  (_state: unknown, { writer }: LangGraphRunnableConfig) => {
    writer?.(word);
    writer?.("secret");
    return { log: [word] };
  };

/** A graph that was compiled with a stream transformer. */
export const graph = new StateGraph(State)
  .addNode("one", say("one"))
  .addNode("two", say("two"))
  .addEdge(START, "one")
  .addEdge("one", "two")
  .addEdge("two", END)
  .compile({ transformers: [counting] });
