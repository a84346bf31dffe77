import { AIMessage, ToolMessage } from "@langchain/core/messages";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { Command, getConfig, isCommand, isGraphBubbleUp, type LangGraphRunnableConfig } from "@langchain/langgraph";
import type { ToolCallHandler, ToolCallRequest } from "langchain";
import { type AgentRun, purseOf } from "./agent-run.ts";
import type { AgentValues } from "./agent-state.ts";
import type { Approval } from "./approval.ts";
import { askApproval } from "./ask-human.ts";
import { guardTool } from "./guards/tool.ts";
import type { LedgerEntry } from "./ledger.ts";
import { limited } from "./limited.ts";
import { report } from "./progress.ts";
import { asText } from "./prompt.ts";
import { type Proposal, proposed } from "./proposal.ts";
import { tierOfTool } from "./tiers.ts";
import { type Call, callsOf } from "./tool-calls.ts";
import { callName } from "./tool-names.ts";
import { openTool } from "./tools.ts";
import { shortResult } from "./whole-results.ts";

type Request = ToolCallRequest & { state: AgentValues & { messages: AIMessage[] } };

/**
 * Runs one tool call and returns the state update. An error becomes the result of the call, so that the model can correct itself. This is
 * the outermost hook around a tool.
 */
export async function act(run: AgentRun, request: Request, handler: ToolCallHandler, config: LangGraphRunnableConfig): Promise<Command> {
  const { toolCall, state } = request;
  run.resume?.(state.ledger);
  const startedAt = Date.now();
  const last = state.messages.findLast((message) => AIMessage.isInstance(message));
  const call =
    callsOf(state.messages.slice(0, state.messages.indexOf(last as AIMessage) + 1)).find(({ id }) => id === toolCall.id) ?? toolCall;
  const spent: LedgerEntry[] = [];
  const record = (entries: LedgerEntry[]) => {
    spent.push(...entries);
    run.record?.(entries);
  };
  const proposals: Proposal[] = [];
  const propose = (more: Proposal[]) => void proposals.push(...more);
  const acting = { ...run, ...purseOf(run, state.ledger, getConfig()), record, propose };
  const seen = await observe(acting, call as Call, request, handler, config);
  report(config, run.pattern, "tool", startedAt, { tool: call.name, ...(run.pattern !== run.agent.name && { agent: run.agent.name }) });
  const input = "broken" in call && call.broken !== undefined ? call.broken : call.args;
  const step = {
    thought: last?.text ?? "",
    action: call.name,
    input,
    observation: seen.text,
    ...(proposals.length > 0 && { proposed: proposals }),
  };
  const message = new ToolMessage({
    content: seen.text,
    tool_call_id: call.id ?? call.name,
    name: call.name,
    ...(seen.isError && { status: "error" }),
  });
  if (!seen.command) return new Command({ update: { messages: [message], steps: [step], ledger: spent } });
  const { update, goto, graph } = seen.command;
  // a tool that runs another agent returns the ledger entries of that agent
  const { ledger = [] } = Object(update) as { ledger?: LedgerEntry[] };
  record(ledger);
  return new Command({ graph, goto, update: Array.isArray(update) ? update : { ...update, steps: [step], ledger: spent } });
}

interface Observation {
  text: string;
  isError?: boolean;
  /** A command that the tool returned instead of a result. */
  command?: Command;
}

const failed = (text: string): Observation => ({ text: `Error: ${text}`, isError: true });

async function observe(
  run: AgentRun,
  call: Call,
  request: Request,
  handler: ToolCallHandler,
  config: LangGraphRunnableConfig,
): Promise<Observation> {
  const { _offered: offered } = request.state;
  const name = offered.find((one) => callName(one) === call.name);
  const tool = (request.tool as StructuredToolInterface | undefined) ?? (name === undefined ? undefined : await find(run, name));
  if (!tool) return failed(`there is no tool "${call.name}"; there are ${offered.map(callName).join(", ") || "none"}.`);
  if (call.broken !== undefined) return failed(`the arguments are not JSON: ${call.broken}`);
  const { approved, reason, edited: args = call.args } = decisionOn(call, request.state, run);
  if (!approved) return { text: `Refused by a person${reason ? `: ${reason}` : "."}` };
  try {
    const passed = await guardTool(run, call.name, "arguments", args, config);
    if (!("value" in passed)) return failed(passed.reason);
    if (run.isCalled && tierOfTool(tool, run.agent) === 3) {
      run.propose?.([{ agent: run.agent.name, tool: name ?? call.name, args: passed.value as Call["args"] }]);
      return { text: proposed };
    }
    const toolCall = { ...request.toolCall, id: call.id ?? call.name, args: passed.value as Call["args"] };
    const answer = await handler({ ...request, toolCall, tool: limited(tool, run.agent.errandSeconds) });
    if (isCommand(answer)) return { text: "Done.", command: answer as Command };
    return await guardResult(run, call, answer as ToolMessage, config);
  } catch (error) {
    if (isGraphBubbleUp(error)) throw error;
    config.signal?.throwIfAborted();
    return await guardError(run, call, (error as Error).message, config);
  }
}

/** Returns the decision whether a tool call may run. A call that needs no approval may run. For any other call, a person decides. */
function decisionOn(
  { id = "", name, args }: Call,
  { _approve: approve, _decisions: decisions = {} }: AgentValues,
  run: AgentRun,
): Approval {
  if (!approve.some((one) => callName(one) === name)) return { approved: true };
  const question = { action: { name, args }, timeoutSeconds: run.askTimeoutSeconds };
  // if several calls of the turn need approval, a person has already decided on all of them
  return decisions[id] ?? askApproval(`May ${name} be used?`, { tool: name, args }, question);
}

/** Returns the text of a tool's error for the model, after the guards of the tool have checked it. */
async function guardError(run: AgentRun, { id = "call", name }: Call, text: string, config: LangGraphRunnableConfig): Promise<Observation> {
  const passed = await guardTool(run, name, "error", text, config);
  return failed("value" in passed ? await shortResult(asText(passed.value), id, config) : passed.reason);
}

/** Returns a tool's result for the model, after the guards of the tool have checked it. */
async function guardResult(
  run: AgentRun,
  { id = "call", name }: Call,
  { text, status }: ToolMessage,
  config: LangGraphRunnableConfig,
): Promise<Observation> {
  const result = await guardTool(run, name, status === "error" ? "error" : "result", text, config);
  if (!("value" in result)) return failed(result.reason);
  return { text: await shortResult(asText(result.value), id, config), isError: status === "error" };
}

/** Returns the tool with this name: one of the agent's own tools in code, or a tool that the run's context names. */
function find(run: AgentRun, name: string) {
  const own = run.agent.tools.find((one) => typeof one !== "string" && one.name === name);
  return own && typeof own !== "string" ? own : openTool(name, run);
}
