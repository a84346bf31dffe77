import { tool } from "@langchain/core/tools";
import { z } from "zod";

export const tools = [
  tool(({ customer }) => `2 orders of ${customer}`, {
    name: "search_orders",
    description: "Finds the orders of a customer",
    schema: z.object({ customer: z.string() }),
  }),
];
