import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";

/** Returns the schema of a state key that holds a list. Items that a node returns for the key are appended to the list. */
export function appending<Item extends z.ZodType>(item: Item, description: string) {
  return new ReducedValue(
    z
      .array(item)
      .default(() => [])
      .describe(description),
    { inputSchema: z.array(item).describe(description), reducer: (all, more) => all.concat(more) },
  );
}
