import { END, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";

const Path = z.array(z.string());
const Options = z.record(z.string(), z.unknown()).default({});
const Index = z.union([z.literal(false), z.array(z.string())]);
const Call = z.union([
  z.object({ put: Path, key: z.string(), value: z.record(z.string(), z.unknown()), index: Index.optional(), options: Options }),
  z.object({ get: Path, key: z.string(), options: Options }),
  z.object({ delete: Path, key: z.string() }),
  z.object({ search: Path, options: Options }),
  z.object({ list: z.record(z.string(), z.unknown()) }),
]);

/** Options that Ensemble's store accepts in addition to those of LangGraph's type. */
interface Store {
  put(namespace: string[], key: string, value: object, index?: false | string[], options?: object): Promise<void>;
  get(namespace: string[], key: string, options?: object): Promise<unknown>;
  search(namespace: string[], options?: object): Promise<unknown>;
}

const State = new StateSchema({ calls: z.array(Call), results: z.array(z.unknown()).default([]) });

async function call(wanted: z.infer<typeof Call>, config: LangGraphRunnableConfig): Promise<unknown> {
  const { store } = config;
  if (!store) throw new Error("There is no store.");
  const full: Store = store;
  if ("put" in wanted) return full.put(wanted.put, wanted.key, wanted.value, wanted.index, wanted.options);
  if ("get" in wanted) return full.get(wanted.get, wanted.key, wanted.options);
  if ("delete" in wanted) return store.delete(wanted.delete, wanted.key);
  if ("list" in wanted) return store.listNamespaces(wanted.list);
  return full.search(wanted.search, wanted.options);
}

/** A graph that makes the given calls on the store, one after another. */
export const graph = new StateGraph(State)
  .addNode("do", async ({ calls }, config) => {
    const results: unknown[] = [];
    for (const wanted of calls) results.push((await call(wanted, config)) ?? null);
    return { results };
  })
  .addEdge(START, "do")
  .addEdge("do", END)
  .compile();
