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
 * Makes the project's graphs available to the patterns. Call it before the graphs are loaded, because a graph may refer to the id of
 * another one while it is loaded. The graphs can be opened only after `openWith` has been called.
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
