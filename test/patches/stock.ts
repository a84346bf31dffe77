import { AsyncLocalStorageProviderSingleton as provider } from "@langchain/core/singletons";
import { Annotation, Command, END, interrupt, MemorySaver, START, StateGraph, task } from "@langchain/langgraph";
import { AsyncBatchedStore, type BaseStore, type Operation } from "@langchain/langgraph-checkpoint";
import { z } from "zod";

/** Prints how the libraries behave that Ensemble patches. This process applies no patch. */
async function main(): Promise<void> {
  const result = {
    store: await wrappedStore(),
    runsOfTask: await resumeInside(),
    treeOfUntracedCall: treeOfUntracedCall(),
    zodMethods: await zodMethods(),
  };
  console.log(JSON.stringify(result));
}

async function wrappedStore() {
  const operations: Operation[] = [];
  const inner = {
    async batch(asked: Operation[]) {
      operations.push(...asked);
      return asked.map(() => null);
    },
    start() {},
    stop() {},
  };
  const store = new AsyncBatchedStore(inner as unknown as BaseStore);
  store.start();
  const put = store.put.bind(store) as (...given: unknown[]) => Promise<void>;
  await put(["a"], "key", { value: 1 }, false, { ttl: 5 });
  const listing = await store.listNamespaces({ maxDepth: 1 }).then(
    () => "listed",
    (error: Error) => `throws: ${error.message}`,
  );
  await store.stop();
  return { passedOn: Object.keys(operations[0] ?? {}), listing };
}

/** Returns how often a finished task inside a subgraph runs again, after the outer graph has stopped to ask. */
async function resumeInside(): Promise<number> {
  let runs = 0;
  const State = Annotation.Root({ said: Annotation<string>() });
  const work = task("work", async () => {
    runs += 1;
    return "done";
  });
  const ask = async () => ({ said: `${await work()} ${interrupt("go on?")}` });
  const inside = new StateGraph(State).addNode("ask", ask).addEdge(START, "ask").addEdge("ask", END).compile();
  const around = new StateGraph(State).addNode("inside", inside).addEdge(START, "inside").addEdge("inside", END);
  const graph = around.compile({ checkpointer: new MemorySaver() });
  const config = { configurable: { thread_id: "1" } };
  await graph.invoke({}, config);
  await graph.invoke(new Command({ resume: "yes" }), config);
  return runs;
}

function treeOfUntracedCall(): boolean {
  const tree = provider.runWithConfig({}, () => provider.getInstance().getStore()) as { id?: string } | undefined;
  return typeof tree?.id === "string";
}

/** Returns whether the schemas of LangGraph's zod, and of another copy, have LangGraph's method. */
async function zodMethods() {
  const copyUrl = new URL("v4/classic/schemas.js?copy", import.meta.resolve("zod"));
  const copy: { ZodType: { prototype: object } } = await import(copyUrl.href);
  await import("@langchain/langgraph/zod");
  return { own: "langgraph" in z.ZodType.prototype, copy: "langgraph" in copy.ZodType.prototype };
}

await main();
