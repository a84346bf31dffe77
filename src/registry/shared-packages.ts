/** The packages that may be loaded only once. With two copies, interrupts, `instanceof` and the context of nodes break. */
const shared = ["@langchain/langgraph", "@langchain/core", "@langchain/langgraph-checkpoint", "@langchain/langgraph-sdk", "langchain"];

/** Returns the shared package to which an import specifier belongs, or undefined if it belongs to none. */
export const packageOf = (specifier: string): string | undefined =>
  shared.find((name) => specifier === name || specifier.startsWith(`${name}/`));
