import { v5, v7, validate } from "uuid";

/** The namespace in which the official server derives a graph's own assistant from its id. */
const graphNamespace = "6ba7b821-9dad-11d1-80b4-00c04fd430c8";

/** Ids rise with time, so that new rows are neighbours in the index. */
export const newId = (): string => v7();

export const isId = (text: string): boolean => validate(text);

/** The id of the assistant that every graph has by itself. */
export const systemAssistantId = (graphId: string): string => v5(graphId, graphNamespace);
