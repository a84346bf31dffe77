import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";
import { withResources } from "ensemble";

/** A request for resources, and what happens while the run has them. */
interface Plan {
  name?: string;
  needs: Record<string, number>;
  options?: { waitSeconds?: number; priority?: number; skip: boolean };
  /** A file. The work lasts until it exists. */
  gate?: string;
  workMs?: number;
  /** A request that is made while the run has the resources. */
  inside?: Plan;
}

const State = Annotation.Root({ plan: Annotation<Plan>(), done: Annotation<boolean>() });

/** Writes to the journal what happens, and when. */
function note(config: LangGraphRunnableConfig, what: string): void {
  const { journal, run_id: runId } = config.configurable ?? {};
  if (journal) appendFileSync(String(journal), `${JSON.stringify({ runId, what, pid: process.pid, at: Date.now() })}\n`);
}

async function carryOut({ name = "", needs, options, gate, workMs, inside }: Plan, config: LangGraphRunnableConfig): Promise<boolean> {
  const work = async () => {
    note(config, `enter ${name}`);
    while (gate && !existsSync(gate)) await sleep(10, undefined, { signal: config.signal });
    if (workMs) await sleep(workMs, undefined, { signal: config.signal });
    const done = inside ? await carryOut(inside, config) : true;
    note(config, `leave ${name}`);
    return done;
  };
  return (await (options ? withResources(config, needs, work, options) : withResources(config, needs, work))) ?? false;
}

/** Works with shared resources as its plan says. */
export const graph = new StateGraph(State)
  .addNode("work", async ({ plan }, config) => ({ done: await carryOut(plan, config) }))
  .addEdge(START, "work")
  .addEdge("work", END)
  .compile();
