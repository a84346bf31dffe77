import { type AgentOptions, AllowedHosts, AskTimeout, agent, buildAgent, closed, sharedContext, ToolName, tierOf } from "ensemble/patterns";
import { z } from "zod";

const contextWith = (tools: string[], instructions: string) =>
  closed({
    ...sharedContext,
    instructions: z.string().default(instructions).describe("System prompt"),
    tools: z.array(ToolName).default(tools).describe("Tools that may be used"),
    approve: z.array(ToolName).default([]).describe("Tools that need a person's approval each time"),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
    stepLimit: z.number().int().min(1).max(50).default(10).describe("Rounds of tool calls after which the model must answer"),
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
  });

/** The options in code: an agent without a roster. Its tools stand beside those that a context names. */
export type ReactOptions = Partial<AgentOptions>;

/** Thinks, uses tools and observes until it can answer or reaches its limit of rounds. */
export function react({ instructions, tools, approve = [], ...options }: ReactOptions = {}) {
  const Context = contextWith(
    tools ? [] : ["calculate", "now"],
    instructions ?? "You solve tasks. Use a tool when it helps; answer when you know.",
  );
  return buildAgent({
    name: options.name ?? "react",
    description: options.description,
    context: Context,
    middleware: options.middleware,
    runOf: (given) => {
      const context = Context.parse(given ?? {});
      const { stepLimit: maxRounds, timeoutSeconds } = context;
      const solver = { name: "react", role: "an agent that solves tasks", maxRounds, timeoutSeconds, ...options };
      return {
        agent: agent({
          ...solver,
          instructions: context.instructions,
          tools: [...(tools ?? []), ...context.tools],
          approve: [...approve, ...context.approve],
        }),
        ...tierOf(context, "worker"),
        quiet: false,
        task: "answer",
        pattern: "react",
      };
    },
  });
}

export const graph = react();
