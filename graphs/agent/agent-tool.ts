import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { z } from "zod";
import { type Agent, fromData } from "./agent.ts";
import type { AgentRun } from "./agent-run.ts";
import { runAgent } from "./run-agent.ts";
import type { AgentData } from "./schema.ts";

const Errand = z.object({
  task: z.string().min(1).describe("What is to be done. The agent sees nothing else of this conversation."),
  input: z.string().optional().describe("Material for the task"),
});

/**
 * Returns a tool that gives a task to another agent and returns that agent's result. The costs of the other agent's model calls are
 * recorded in the ledger of the calling agent.
 */
export function agentTool(data: AgentData, run: AgentRun): StructuredToolInterface {
  const agent: Agent = fromData(data);
  const { name, role, description } = agent;
  return tool(
    async ({ task, input }, config) => {
      const outcome = await runAgent({ ...run, agent, task, input, quiet: true }, config);
      run.record?.(outcome.ledger);
      if (outcome.status !== "success") throw new Error(outcome.error);
      return typeof outcome.result === "string" ? outcome.result : JSON.stringify(outcome.result);
    },
    { name, description: `Gives a task to ${description ?? role}`, schema: Errand },
  );
}
