import { v5, v7 } from "uuid";

/** The UUID namespace that the official LangGraph server uses to derive an assistant's id from the graph's id. */
const graphNamespace = "6ba7b821-9dad-11d1-80b4-00c04fd430c8";

/** Returns a new id. Ids sort by the time of their creation, so new rows are next to each other in an index. */
export const newId = (): string => v7();

/** Tells whether the text is a UUID that Postgres accepts. Every UUID version is valid, because callers may choose their own ids. */
export const isId = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);

/** Returns the id of a graph's default assistant. */
export const systemAssistantId = (graphId: string): string => v5(graphId, graphNamespace);

/** The UUID namespace of threads that callers name with a text. */
const threadNamespace = "3f0a6c1e-8d0b-5c57-9a58-0d1f6a2c7b94";

/** Returns the id of the thread that a user names with a text. The same text names different threads for different users. */
export const threadIdOf = (identity: string | undefined, name: string): string =>
  v5(JSON.stringify([identity ?? null, name]), threadNamespace);
