import { Annotation, END, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";
import { reportDeadLetter } from "ensemble";

const place = globalThis as { [key: symbol]: Set<string> | undefined };
const key = Symbol.for("ensemble.test.mended");
place[key] ??= new Set();

/** The names of the jobs that no longer fail. Tests add to it while the service runs in the same process. */
export const mended: Set<string> = place[key];

const State = Annotation.Root({
  job: Annotation<string>(),
  size: Annotation<string>(),
  log: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

/** A graph whose second node throws until a test has mended the job. */
export const graph = new StateGraph(State)
  .addNode("prepare", () => ({ log: ["prepared"] }))
  .addNode("act", ({ job }) => {
    if (!mended.has(job)) throw new Error(`${job} is broken`);
    return { log: ["acted"] };
  })
  .addEdge(START, "prepare")
  .addEdge("prepare", "act")
  .addEdge("act", END)
  .compile();

const Items = Annotation.Root({ names: Annotation<string[]>(), done: Annotation<string[]>(), then: Annotation<string>() });

/** Reports the items that are broken as dead letters, and goes on without them. */
function work({ names }: typeof Items.State, config: LangGraphRunnableConfig) {
  const broken = names.filter((name) => !mended.has(name));
  for (const name of broken)
    reportDeadLetter(config, {
      item: name,
      input: { names: [name] },
      error: { type: "ItemError", message: `${name} is broken` },
      attempts: 3,
    });
  return { done: names.filter((name) => mended.has(name)) };
}

/** A graph that works on items, and reports those that fail. */
export const items = new StateGraph(Items)
  .addNode("work", work)
  .addNode("end", ({ then }) => {
    if (then === "throw") throw new Error("the run itself fails");
    return {};
  })
  .addEdge(START, "work")
  .addEdge("work", "end")
  .addEdge("end", END)
  .compile();
