import { v5, v7 } from "uuid";

/** The UUID namespace from which the official server derives a graph's assistant id. */
const graphNamespace = "6ba7b821-9dad-11d1-80b4-00c04fd430c8";

/** Returns a new id. Later ids sort after earlier ones, so new rows are neighbours in the index. */
export const newId = (): string => v7();

/** Returns whether Postgres accepts the text as a uuid. Every UUID version is valid, because callers may choose their own ids. */
export const isId = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);

/** Returns the id of the assistant that each graph has by default. */
export const systemAssistantId = (graphId: string): string => v5(graphId, graphNamespace);
