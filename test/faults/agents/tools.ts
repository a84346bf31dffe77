import { tool } from "@langchain/core/tools";
import { z } from "zod";

/** A tool that calls the test, which counts the calls and can hold one back. */
const calling = (name: string) =>
  tool(async (_, config) => await (await fetch(`${process.env.TOOL_URL}/${name}`, { signal: config.signal })).text(), {
    name,
    description: `Calls ${name}`,
    schema: z.object({}),
  });

export const tools = ["first_tool", "second_tool"].map(calling);
