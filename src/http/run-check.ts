import type { Registry } from "../registry/registry.ts";
import type { RunCheck } from "../runs/create.ts";
import { type Issue, refuseIssues } from "./issues.ts";

/** What a run must pass before it exists. In a batch, `index` says which run it is. */
export function runCheck(registry: Registry, index?: number): RunCheck {
  const inBatch = (issues: Issue[]) => (index === undefined ? issues : issues.map((issue) => ({ ...issue, path: [index, ...issue.path] })));
  return async (_tx, { assistant, kwargs: { input, command, context, config } }) => {
    const given = {
      // Null goes on from where the thread stands, and a command takes the input's place.
      ...(command === null && input !== null && { input }),
      // Without a context LangGraph holds the schema against the configurable, as graphs once had it.
      context: context ?? config.configurable,
    };
    refuseIssues(inBatch(await registry.judge(assistant.graph_id, given)));
  };
}

/**
 * Refuses a context for an assistant that its graph would refuse. What is missing may still come with the run; what is there may not
 * be wrong.
 */
export async function refuseContext(registry: Registry, graphId: string, context: Record<string, unknown>): Promise<void> {
  const issues = await registry.judge(graphId, { context });
  refuseIssues(issues.filter(({ path }) => path.length !== 2 || Object.hasOwn(context, path[1] ?? "")));
}
