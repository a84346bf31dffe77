import { v5, v7 } from "uuid";

/** The namespace in which the official server derives a graph's own assistant from its id. */
const graphNamespace = "6ba7b821-9dad-11d1-80b4-00c04fd430c8";

/** Ids rise with time, so that new rows are neighbours in the index. */
export const newId = (): string => v7();

/** Whether Postgres takes it for a uuid: of any version, because callers choose ids of their own. */
export const isId = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);

/** The id of the assistant that every graph has by itself. */
export const systemAssistantId = (graphId: string): string => v5(graphId, graphNamespace);
