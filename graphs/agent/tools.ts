import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { fromData } from "./agent.ts";
import type { AgentRun } from "./agent-run.ts";
import { askAnswer, nobodyAnswered } from "./ask-human.ts";
import { fetchPage } from "./fetch-page.ts";
import { recall, remember } from "./memories.ts";
import { allowedHosts } from "./operator-limits.ts";
import { openProjectTool, projectAgent } from "./project.ts";
import { type BuiltInTool, callName, isBuiltIn } from "./tool-names.ts";

/**
 * Returns the tool with this name. Tools and agents of the project take precedence over the built-in tools. Returns undefined if the name
 * is unknown.
 */
export async function openTool(name: string, run: AgentRun): Promise<StructuredToolInterface | undefined> {
  const opened =
    (await openProjectTool(name)) ??
    (await openAgent(name, run)) ??
    (await openGraph(name, run)) ??
    (isBuiltIn(name) ? builtIn(run)[name]() : undefined);
  if (!opened || opened.name === callName(name)) return opened;
  return Object.create(opened, { name: { value: callName(name), enumerable: true } });
}

async function openAgent(name: string, run: AgentRun): Promise<StructuredToolInterface | undefined> {
  const data = name.startsWith("agent:") ? projectAgent(name.slice("agent:".length)) : undefined;
  if (!data) return undefined;
  // imported here, because agent-tool.ts runs agents, and agents open tools with this file
  const { agentTool } = await import("./agent-tool.ts");
  return agentTool(fromData(data), run);
}

async function openGraph(name: string, run: AgentRun): Promise<StructuredToolInterface | undefined> {
  if (!name.startsWith("graph:")) return undefined;
  const { graphTool } = await import("./agent-tool.ts"); // imported here, because agent-tool.ts imports this file indirectly
  return graphTool(name.slice("graph:".length), run);
}

function builtIn({ hosts, askTimeoutSeconds: timeoutSeconds }: AgentRun): Record<BuiltInTool, () => StructuredToolInterface> {
  return {
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
}
