/** The packages of which only one copy may be loaded. With two copies, interrupts, `instanceof` and the context of nodes break. */
const shared = ["@langchain/langgraph", "@langchain/core", "@langchain/langgraph-checkpoint", "@langchain/langgraph-sdk", "langchain"];

/** Returns the shared package that an import specifier belongs to, if any. */
export const packageOf = (specifier: string): string | undefined =>
  shared.find((name) => specifier === name || specifier.startsWith(`${name}/`));
