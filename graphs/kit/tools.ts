import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { type AskTimeout, askAnswer, nobodyAnswered } from "./ask-human.ts";
import { fetchPage } from "./fetch-page.ts";

export const ToolName = z.enum(["calculate", "now", "fetch_page", "ask_human"]);
export type ToolName = z.infer<typeof ToolName>;

/** The tools that a context can name. */
export function openTools(names: ToolName[], allowedHosts: string[], timeoutSeconds: AskTimeout = null): StructuredToolInterface[] {
  const tools: Record<ToolName, () => StructuredToolInterface> = {
    calculate: () =>
      tool(async ({ expression }) => (await import("./calculate.ts")).calculate(expression), {
        name: "calculate",
        description: "Evaluates an arithmetic expression, such as (2 + 3) * 4 or sqrt(2)",
        schema: z.object({ expression: z.string().max(1_000).describe("The expression") }),
      }),
    now: () =>
      tool(() => new Date().toISOString(), {
        name: "now",
        description: "Tells the current date and time in UTC",
        schema: z.object({}),
      }),
    fetch_page: () =>
      tool(({ url }, config) => fetchPage(url, { allowedHosts, signal: config?.signal }), {
        name: "fetch_page",
        description: "Reads the text of a web page",
        schema: z.object({ url: z.string().describe("Its address, http or https") }),
      }),
    ask_human: () =>
      tool(({ question, options }) => askAnswer(question, options, { timeoutSeconds }) ?? nobodyAnswered(timeoutSeconds), {
        name: "ask_human",
        description: "Asks the person who gave the task, when only they can know or decide",
        schema: z.object({ question: z.string(), options: z.array(z.string()).optional().describe("Answers to choose from") }),
      }),
  };
  return names.map((name) => tools[name]());
}
