import { type AgentOptions, agent, bothGuardrails, buildAgent, patternContext, solverContext, tierOf } from "ensemble/patterns";

/** The options of `react`: any options of an agent. The context of a run can add further tools by name. */
export type ReactOptions = Partial<AgentOptions>;

/**
 * Returns a graph whose model thinks, calls tools and reads their results. The loop ends when the model answers, or at the limit of rounds.
 */
export function react({ instructions, tools, approve = [], guardrails, ...options }: ReactOptions = {}) {
  if (options.needs) throw new Error("The agent of react is the whole run, so it takes no `needs`. Use withResources in its tools.");
  const Context = patternContext(solverContext, { instructions, ...(tools && { tools: [] }) }, [{ ...options, guardrails }]);
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
          guardrails: bothGuardrails(guardrails, context.guardrails),
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
