import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { type Agent, graphAgent } from "./agent.ts";
import type { AgentRun } from "./agent-run.ts";
import { openProjectGraph } from "./project-graphs.ts";
import { asText } from "./prompt.ts";
import { settleProposals } from "./proposals.ts";
import { runAgent } from "./run-agent.ts";
import { callingWith } from "./subgraph.ts";
import { callName } from "./tool-names.ts";

const Errand = z.object({
  task: z.string().min(1).describe("What is to be done. The agent sees nothing else of this conversation."),
  input: z.string().optional().describe("Material for the task"),
});

/**
 * Returns a tool that gives a task to another agent and returns that agent's result. The other agent's model calls are recorded in the
 * ledger of the calling agent.
 */
export function agentTool(agent: Agent, run: AgentRun): StructuredToolInterface {
  const { name, role, description } = agent;
  return tool(
    async ({ task, input }, config) => {
      const outcome = await runAgent({ ...run, agent, task, input, quiet: true, isCalled: true }, config);
      run.record?.(outcome.ledger);
      if (outcome.status !== "success") throw new Error(outcome.error);
      const { result, proposed = [] } = outcome;
      const settled = proposed.length > 0 ? [await settleProposals(proposed, run, config)] : [];
      return [asText(result), ...settled].join("\n\n");
    },
    { name, description: `Gives a task to ${description ?? role}`, schema: Errand },
  );
}

/** The key in `configurable` that marks a graph that runs as a tool. Its value is the id of that graph. */
const callerKey = "ensemble_called_as_tool";

/**
 * Returns a tool that gives a task to a graph of the project, as a message. The graph runs as a subgraph. A graph that runs as a tool may
 * not call graphs itself, because graphs could then call each other without end.
 */
export async function graphTool(graphId: string, run: AgentRun): Promise<StructuredToolInterface> {
  const graph = await openProjectGraph(graphId);
  const inside = (config: LangGraphRunnableConfig = {}) => {
    const { configurable = {} } = config;
    if (configurable.graph_id === graphId) throw new Error(`The graph "${graphId}" may not call itself.`);
    if (configurable[callerKey] !== undefined)
      throw new Error(`The graph "${configurable[callerKey]}" runs as a tool, so it may not call graphs.`);
    return { ...config, configurable: { ...configurable, [callerKey]: graphId } };
  };
  const described = graphAgent({
    ...callingWith(graph, (input, config) => [input, inside(config)]),
    name: callName(`graph:${graphId}`),
    description: graph.description ?? `the graph ${graphId}`,
  });
  return agentTool(described, run);
}
