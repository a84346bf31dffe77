import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { z } from "zod";
import { type AgentCall, callAgent, type Outcome } from "./agent.ts";

/** Makes a call that the run cannot do without. Its failure fails the run. */
export async function requireAgent<Schema extends z.ZodType>(
  call: AgentCall<Schema>,
  config: LangGraphRunnableConfig,
): Promise<Extract<Outcome<z.infer<Schema>>, { status: "success" }>> {
  const outcome = await callAgent(call, config);
  if (outcome.status === "success") return outcome;
  throw new Error(`The ${call.agent.name} ${outcome.status === "timeout" ? "took too long" : "failed"}: ${outcome.error}`);
}
