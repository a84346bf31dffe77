import { isGraphBubbleUp, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { fromData } from "./agent.ts";
import type { AgentRun } from "./agent-run.ts";
import { askApproval, askApprovals } from "./ask-human.ts";
import { guardTool } from "./guards/tool.ts";
import { limited } from "./limited.ts";
import { projectAgent } from "./project.ts";
import { asText } from "./prompt.ts";
import type { Proposal } from "./proposal.ts";
import { callName } from "./tool-names.ts";
import { openTool } from "./tools.ts";

/**
 * Asks a person about the calls that a called agent proposed, and runs the approved ones. Returns a text about the outcome of each call.
 * The person gets one question about all calls before the first call runs. The node runs again after the answer, so a call before the
 * question would run twice. If this agent was itself called by another agent, the proposals go to that agent.
 */
export async function settleProposals(proposals: Proposal[], run: AgentRun, config: LangGraphRunnableConfig): Promise<string> {
  if (run.isCalled) {
    run.propose?.(proposals);
    return proposals.map(({ tool, args }) => `Proposed: ${tool} with ${JSON.stringify(args)}`).join("\n");
  }
  const actions = proposals.map(({ tool, args }) => ({ name: callName(tool), args }));
  const [first] = actions;
  const approvals =
    first && actions.length === 1
      ? [
          askApproval(
            `May ${first.name} be used?`,
            { tool: first.name, args: first.args },
            { action: first, timeoutSeconds: run.askTimeoutSeconds },
          ),
        ]
      : askApprovals(actions, run.askTimeoutSeconds);
  const lines: string[] = [];
  for (const [index, proposal] of proposals.entries()) {
    const { approved = false, reason, edited } = approvals[index] ?? {};
    const seen = approved ? await carryOut(proposal, edited, run, config) : `Refused by a person${reason ? `: ${reason}` : "."}`;
    lines.push(`${proposal.tool}, proposed by ${proposal.agent}: ${seen}`);
  }
  return lines.join("\n");
}

/**
 * Runs one approved call, with the guards and the time limit of the agent that proposed it. The guards have already passed the arguments,
 * so the arguments are checked again only if the person changed them. Returns an error as a text.
 */
async function carryOut(
  { agent: name, tool: toolName, args }: Proposal,
  edited: Proposal["args"] | undefined,
  caller: AgentRun,
  config: LangGraphRunnableConfig,
): Promise<string> {
  const data = projectAgent(name);
  const run = data ? { ...caller, agent: fromData(data) } : caller;
  const tool = await openTool(toolName, run);
  if (!tool) return `Error: there is no tool "${toolName}" any more.`;
  const passed = edited ? await guardTool(run, tool.name, "arguments", edited, config) : { value: args };
  if (!("value" in passed)) return `Error: ${passed.reason}`;
  try {
    const own = { ...config, toolCall: undefined }; // the caller's `toolCall` would turn the result into a message
    const result = asText(await limited(tool, run.agent.errandSeconds).invoke(passed.value as object, own));
    const shown = await guardTool(run, tool.name, "result", result, config);
    return "value" in shown ? asText(shown.value) : `Error: ${shown.reason}`;
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    config.signal?.throwIfAborted();
    const shown = await guardTool(run, tool.name, "error", (error as Error).message, config);
    return `Error: ${"value" in shown ? asText(shown.value) : shown.reason}`;
  }
}
