import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import type { AgentRun } from "../agent-run.ts";
import { callName } from "../tool-names.ts";
import { apply, type Passed } from "./apply.ts";
import { checksAsides } from "./find.ts";

/** Applies the guards of a tool to the arguments of a call, to its result, or to its error. */
export async function guardTool(
  run: AgentRun,
  name: string,
  on: "arguments" | "result" | "error",
  value: unknown,
  config: LangGraphRunnableConfig,
): Promise<Passed> {
  const lists = Object.entries(run.agent.guardrails?.tool ?? {}).filter(([tool]) => callName(tool) === name);
  const side = on === "arguments" ? on : "result";
  const guards = lists
    .flatMap(([, list]) => list)
    .filter((guard) => (on !== "error" || checksAsides(guard)) && (typeof guard === "function" || (guard.on ?? side) === side));
  if (guards.length === 0) return { value, isChanged: false };
  const passed = await apply({ guards, value, place: "tool", tool: name, run, config, ledger: [] }); // not read: judges call `run.record`
  if (!("value" in passed) || on !== "arguments" || (typeof passed.value === "object" && passed.value !== null)) return passed;
  return { reason: `A guardrail replaced the arguments of ${name} as a whole, so it cannot be called.`, advice: "", mayRetry: false };
}
