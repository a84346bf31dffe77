import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { type AskTimeout, askAnswer, nobodyAnswered } from "./ask-human.ts";
import { fetchPage } from "./fetch-page.ts";
import { recall, remember } from "./memories.ts";
import { allowedHosts } from "./operator-limits.ts";

export const ToolName = z.enum(["calculate", "now", "fetch_page", "ask_human", "remember", "recall"]);
export type ToolName = z.infer<typeof ToolName>;

/** The tools that a context can name. Its `hosts` narrow the internal hosts that fetch_page may read. */
export function openTools(names: ToolName[], hosts: string[] | null, timeoutSeconds: AskTimeout = null): StructuredToolInterface[] {
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
      tool(({ url }, config) => fetchPage(url, { allowedHosts: allowedHosts(hosts), signal: config?.signal }), {
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
    remember: () =>
      tool(({ name, text }, config) => remember(name, text, config), {
        name: "remember",
        description: "Keeps a fact for later conversations; the same name again replaces it",
        schema: z.object({
          name: z.string().trim().min(1).max(200).describe("What it is about, in a few words"),
          text: z.string().trim().min(1).max(4_000).describe("The fact"),
        }),
      }),
    recall: () =>
      tool(({ query }, config) => recall(query, config), {
        name: "recall",
        description: "Looks up what was remembered in earlier conversations",
        schema: z.object({ query: z.string().trim().min(1).max(1_000).describe("Words to look for") }),
      }),
  };
  return names.map((name) => tools[name]());
}
