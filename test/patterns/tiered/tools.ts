import { tool } from "@langchain/core/tools";
import { z } from "zod";

/** A tool that cannot be undone. The test reads which orders it deleted. */
const deleteOrder = tool(
  ({ order }) => {
    if (order === "broken") throw new Error("no order broken");
    (globalThis as { deleted?: string[] }).deleted?.push(order);
    return `deleted ${order}`;
  },
  { name: "delete_order", description: "Deletes an order for ever", schema: z.object({ order: z.string() }), metadata: { tier: 3 } },
);

export const tools = [deleteOrder];
