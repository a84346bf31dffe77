import { ToolMessage } from "@langchain/core/messages";
import { type StructuredToolInterface, tool } from "@langchain/core/tools";
import { Command, type LangGraphRunnableConfig } from "@langchain/langgraph";
import { type AgentData, asText, fromData, runAgent, tierOf } from "ensemble/patterns";
import { z } from "zod";

const errand = (coworkers: string[], what: string) =>
  z.object({
    coworker: z.string().meta({ description: "Name of the coworker", enum: coworkers }),
    [what]: z.string().trim().min(1).describe(`The ${what}. The coworker sees nothing else of your work.`),
    context: z.string().default("").describe("What the coworker must know"),
  });

/**
 * Returns the tools with which an agent delegates work to its coworkers and asks them questions. The coworkers' model calls are recorded in
 * the run's ledger.
 */
export function delegationTools(coworkers: AgentData[], context: Parameters<typeof tierOf>[0]): StructuredToolInterface[] {
  const names = coworkers.map(({ name }) => name);
  const ask = (what: "task" | "question") => async (args: Record<string, string>, config: LangGraphRunnableConfig) => {
    const coworker = coworkers.find(({ name }) => name === args.coworker);
    if (!coworker) throw new Error(`there is no coworker "${args.coworker}"; there are ${names.join(", ")}`);
    const about = { agent: fromData(coworker), task: args[what] ?? "", ...(args.context && { input: args.context }) };
    const outcome = await runAgent({ ...tierOf(context, "worker"), ...about, pattern: "crew" }, config);
    const result = outcome.status === "success" ? asText(outcome.result) : `Error: ${outcome.error}`;
    const { id = what } = Object(Object(config).toolCall) as { id?: string };
    const message = new ToolMessage({ content: result, tool_call_id: id, ...(outcome.status !== "success" && { status: "error" }) });
    return new Command({ update: { messages: [message], ledger: outcome.ledger } });
  };
  return [
    tool(ask("task") as never, {
      name: "delegate_work",
      description: `Gives a part of your work to a coworker: ${names.join(", ")}`,
      schema: errand(names, "task"),
    }),
    tool(ask("question") as never, {
      name: "ask_coworker",
      description: `Asks a coworker a question: ${names.join(", ")}`,
      schema: errand(names, "question"),
    }),
  ] as unknown as StructuredToolInterface[];
}
