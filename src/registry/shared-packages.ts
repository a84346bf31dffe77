/** Packages that must exist once. Two copies break interrupts, `instanceof` and the context that nodes run in. */
const shared = ["@langchain/langgraph", "@langchain/core", "@langchain/langgraph-checkpoint", "@langchain/langgraph-sdk", "langchain"];

/** Returns the shared package that a module specifier belongs to. Returns undefined for any other package. */
export const packageOf = (specifier: string): string | undefined =>
  shared.find((name) => specifier === name || specifier.startsWith(`${name}/`));
