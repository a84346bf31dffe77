import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";

/** Returns a state key that is a list. Nodes append to it. */
export function appending<Item extends z.ZodType>(item: Item, description: string) {
  return new ReducedValue(
    z
      .array(item)
      .default(() => [])
      .describe(description),
    { inputSchema: z.array(item).describe(description), reducer: (all, more) => all.concat(more) },
  );
}
