import { setTimeout as sleep } from "node:timers/promises";
import { AIMessage } from "@langchain/core/messages";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  name: Annotation<string>(),
  seconds: Annotation<number>(),
  answers: Annotation<unknown[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
  result: Annotation<string>(),
  messages: Annotation<AIMessage[]>(),
});
type Node = (state: typeof State.State, config: LangGraphRunnableConfig) => Promise<Partial<typeof State.Update>>;

const doing = (node: Node) => new StateGraph(State).addNode("do", node).addEdge(START, "do").addEdge("do", END).compile();

const requestedSchema = { type: "object", properties: { name: { type: "string" }, confirm: { type: "boolean" } } };
/** Returns a node that asks with a form of the protocol, because the suite answers with the fields of its own form. */
const ask =
  (message: string): Node =>
  async () => ({ answers: [interrupt({ method: "elicitation/create", params: { message, requestedSchema } })] });

export const greet = doing(async ({ name }) => ({ messages: [new AIMessage(`Hello, ${name}!`)] }));
export const compute = doing(async ({ seconds }, { signal }) => {
  await sleep(seconds * 1_000, undefined, { signal });
  return { result: "computed" };
});
export const failing = doing(async () => {
  await sleep(1_000);
  throw new Error("The job has failed.");
});
export const confirming = doing(ask("May the file be deleted?"));

/** Asks two questions at once. */
export const asking = new StateGraph(State)
  .addNode("first", ask("The first name?"))
  .addNode("second", ask("The second name?"))
  .addNode("join", () => ({}))
  .addEdge(START, "first")
  .addEdge(START, "second")
  .addEdge(["first", "second"], "join")
  .addEdge("join", END)
  .compile();

/** Asks a question at once. The work after the answer takes so long that the call becomes a task. */
export const lateTask = new StateGraph(State)
  .addNode("ask", ask("What is your name?"))
  .addNode("work", async ({ answers }) => {
    await sleep(6_000);
    return { result: `Worked for ${JSON.stringify(answers)}` };
  })
  .addEdge(START, "ask")
  .addEdge("ask", "work")
  .addEdge("work", END)
  .compile();
