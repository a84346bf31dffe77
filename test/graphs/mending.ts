import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

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
