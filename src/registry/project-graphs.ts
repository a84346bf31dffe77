/**
 * The key of the global object under which the patterns (our ready-made graphs) find the project's graphs. See
 * graphs/agent/project-graphs.ts.
 */
const key = Symbol.for("ensemble.graphs");

/** The graphs that a step or a tool of a pattern can run by their ids. */
interface Offered {
  ids: string[];
  open(graphId: string): Promise<unknown>;
}

/**
 * Makes the project's graphs available to the patterns. The ids are known before the graphs are loaded, so that a graph can refer to
 * another one. Once `openWith` has been called, the graphs can be opened.
 */
export function offerGraphs(ids: string[]) {
  const place = globalThis as { [key]?: Offered };
  const { promise, resolve } = Promise.withResolvers<Offered["open"]>();
  const offered: Offered = { ids, open: async (graphId) => (await promise)(graphId) };
  place[key] = offered;
  return {
    openWith: resolve,
    withdraw: () => {
      if (place[key] === offered) delete place[key];
    },
  };
}
