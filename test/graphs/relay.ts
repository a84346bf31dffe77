import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, Send, START, StateGraph } from "@langchain/langgraph";
import { effect } from "ensemble";

const State = Annotation.Root({
  steps: Annotation<number>(),
  stepMs: Annotation<number>(),
  done: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }),
  parts: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
  slowPart: Annotation<string>(),
  answer: Annotation<string>(),
});

/** Writes to the journal, outside the checkpoints, what was executed and in which attempt. */
function journal(config: LangGraphRunnableConfig, what: string): void {
  const { journal: file, run_id: runId } = config.configurable ?? {};
  appendFileSync(
    String(file),
    `${JSON.stringify({ runId, attempt: config.metadata?.run_attempt, what, pid: process.pid, at: Date.now() })}\n`,
  );
}

async function step({ done, stepMs }: typeof State.State, config: LangGraphRunnableConfig) {
  journal(config, `begin ${done}`);
  await sleep(stepMs ?? 100, undefined, { signal: config.signal });
  journal(config, `end ${done}`);
  return { done: 1 };
}

/** A graph with a number of steps. Each step is written to the journal when it begins and when it ends. */
export const graph = new StateGraph(State)
  .addNode("step", step)
  .addEdge(START, "step")
  .addConditionalEdges("step", ({ done, steps }) => (done >= steps ? END : "step"), ["step", END])
  .compile();

/** The same graph, as a subgraph of another. */
export const inside = new StateGraph(State).addNode("relay", graph).addEdge(START, "relay").addEdge("relay", END).compile();

async function part({ part, slow }: { part: string; slow: boolean }, config: LangGraphRunnableConfig) {
  journal(config, `begin ${part}`);
  await sleep(slow ? 1_500 : 10, undefined, { signal: config.signal });
  journal(config, `end ${part}`);
  return { parts: [part] };
}

/** A graph with three parallel parts, one of which is slow. */
export const parts = new StateGraph(State)
  .addNode("part", part, { input: Annotation.Root({ part: Annotation<string>(), slow: Annotation<boolean>() }) })
  .addConditionalEdges(START, ({ slowPart }) => ["a", "b", "c"].map((name) => new Send("part", { part: name, slow: name === slowPart })), [
    "part",
  ])
  .addEdge("part", END)
  .compile();

/** The same graph, as a subgraph of another. */
export const partsInside = new StateGraph(State)
  .addNode("enter", () => ({ done: 1 }))
  .addNode("inside", parts)
  .addEdge(START, "enter")
  .addEdge("enter", "inside")
  .addEdge("inside", END)
  .compile();

async function ask(_state: typeof State.State, config: LangGraphRunnableConfig) {
  const first = interrupt("first?");
  journal(config, `heard ${first}`);
  await sleep(700, undefined, { signal: config.signal });
  const second = interrupt("second?");
  return { answer: `${first} ${second}` };
}

/** A graph whose node asks twice, slowly. */
export const asking = new StateGraph(State).addNode("ask", ask).addEdge(START, "ask").addEdge("ask", END).compile();

async function pay(_state: typeof State.State, config: LangGraphRunnableConfig) {
  const receipt = await effect(config, "pay", (key) => {
    journal(config, `paid ${key}`);
    return { key };
  });
  journal(config, "after payment");
  await sleep(800, undefined, { signal: config.signal });
  return { answer: receipt.key };
}

/** A graph with an effect outside the database that must not happen twice, and a slow node after it. */
export const paying = new StateGraph(State).addNode("pay", pay).addEdge(START, "pay").addEdge("pay", END).compile();

/** A graph that kills its own process, to imitate a node that runs out of memory. */
export const killer = new StateGraph(State)
  .addNode("die", () => {
    process.kill(process.pid, "SIGKILL");
    return {};
  })
  .addEdge(START, "die")
  .addEdge("die", END)
  .compile();

/** A graph that blocks the event loop. */
export const blocker = new StateGraph(State)
  .addNode("block", ({ stepMs }) => {
    const end = Date.now() + stepMs;
    while (Date.now() < end);
    return { done: 1 };
  })
  .addEdge(START, "block")
  .addEdge("block", END)
  .compile();
