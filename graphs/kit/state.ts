import { ReducedValue } from "@langchain/langgraph";
import { z } from "zod";

/** A state key that is a list: what nodes return is added at its end. */
export function appending<Item extends z.ZodType>(item: Item, description: string) {
  return new ReducedValue(
    z
      .array(item)
      .default(() => [])
      .describe(description),
    { inputSchema: z.array(item), reducer: (all, more) => all.concat(more) },
  );
}
