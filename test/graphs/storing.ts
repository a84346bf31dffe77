import { END, type LangGraphRunnableConfig, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";

const Path = z.array(z.string());
const Call = z.union([
  z.object({ put: Path, key: z.string(), value: z.record(z.string(), z.unknown()) }),
  z.object({ get: Path, key: z.string() }),
  z.object({ delete: Path, key: z.string() }),
  z.object({ search: Path, options: z.record(z.string(), z.unknown()).default({}) }),
  z.object({ list: z.record(z.string(), z.unknown()) }),
]);

const State = new StateSchema({ calls: z.array(Call), results: z.array(z.unknown()).default([]) });

async function call(wanted: z.infer<typeof Call>, { store }: LangGraphRunnableConfig): Promise<unknown> {
  if (!store) throw new Error("There is no store.");
  if ("put" in wanted) return store.put(wanted.put, wanted.key, wanted.value);
  if ("get" in wanted) return store.get(wanted.get, wanted.key);
  if ("delete" in wanted) return store.delete(wanted.delete, wanted.key);
  if ("list" in wanted) return store.listNamespaces(wanted.list);
  return store.search(wanted.search, wanted.options);
}

/** Does with the store what it is told, one thing after another. */
export const graph = new StateGraph(State)
  .addNode("do", async ({ calls }, config) => {
    const results: unknown[] = [];
    for (const wanted of calls) results.push((await call(wanted, config)) ?? null);
    return { results };
  })
  .addEdge(START, "do")
  .addEdge("do", END)
  .compile();
