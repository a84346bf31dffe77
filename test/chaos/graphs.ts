import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, interrupt, type LangGraphRunnableConfig, Send, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { effect } from "ensemble";
import { note } from "./journal.ts";

/** Graphs that record what really ran. The input sets their pace. */
const State = Annotation.Root({
  steps: Annotation<number>(),
  stepMs: Annotation<number>(),
  done: Annotation<number>({ reducer: (a, b) => a + b, default: () => 0 }),
  said: Annotation<string[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});
type StateOf = typeof State.State;

/** Does a piece of work. It records the beginning, and the end unless it is aborted. */
async function work(config: LangGraphRunnableConfig, what: string, ms: number): Promise<void> {
  note(config, what, "begin");
  await sleep(ms, undefined, { signal: config.signal });
  note(config, what, "end");
}

async function step({ done, stepMs }: StateOf, config: LangGraphRunnableConfig) {
  await work(config, `step ${done}`, stepMs);
  return { done: 1 };
}

const moreSteps = ({ done, steps }: StateOf) => (done >= steps ? END : "step");

export const sequence = new StateGraph(State)
  .addNode("step", step)
  .addEdge(START, "step")
  .addConditionalEdges("step", moreSteps, ["step", END])
  .compile();

const Part = Annotation.Root({ part: Annotation<number>(), partMs: Annotation<number>() });

async function part({ part, partMs }: typeof Part.State, config: LangGraphRunnableConfig) {
  await work(config, `part ${part}`, partMs);
  return { said: [String(part)], done: 1 };
}

async function gather({ said, stepMs }: StateOf, config: LangGraphRunnableConfig) {
  await work(config, "gather", stepMs);
  return { said: [said.toSorted().join("")] };
}

const fanOut = ({ steps, stepMs }: StateOf) =>
  Array.from({ length: steps }, (_, n) => new Send("do", { part: n, partMs: stepMs * (1 + ((n * 7) % steps) / 5) }));

export const fan = new StateGraph(State)
  .addNode("do", part, { input: Part })
  .addNode("gather", gather)
  .addConditionalEdges(START, fanOut, ["do"])
  .addEdge("do", "gather")
  .addEdge("gather", END)
  .compile();

const inner = new StateGraph(State)
  .addNode("step", step)
  .addEdge(START, "step")
  .addConditionalEdges("step", moreSteps, ["step", END])
  .compile();

const named = (name: string) => async (state: StateOf, config: LangGraphRunnableConfig) => {
  await work(config, name, state.stepMs);
  return { said: [name] };
};

/**
 * The inner graph shares the outer graph's keys. Its additions to sums would be counted twice, so the calling node passes on only one of
 * them.
 */
async function descend({ steps, stepMs }: StateOf, config: LangGraphRunnableConfig) {
  const { done } = await inner.invoke({ steps, stepMs }, config);
  return { done };
}

export const nested = new StateGraph(State)
  .addNode("before", named("before"))
  .addNode("within", descend)
  .addNode("after", named("after"))
  .addEdge(START, "before")
  .addEdge("before", "within")
  .addEdge("within", "after")
  .addEdge("after", END)
  .compile();

const question = (name: string) => async (state: StateOf, config: LangGraphRunnableConfig) => {
  const answer = interrupt<string, string>(`${name}?`);
  await work(config, `${name} ${answer}`, state.stepMs);
  return { said: [answer] };
};

export const asking = new StateGraph(State)
  .addNode("prepare", named("prepare"))
  .addNode("askFirst", question("first"))
  .addNode("askSecond", question("second"))
  .addNode("conclude", named("conclude"))
  .addEdge(START, "prepare")
  .addEdge("prepare", "askFirst")
  .addEdge("askFirst", "askSecond")
  .addEdge("askSecond", "conclude")
  .addEdge("conclude", END)
  .compile();

const ask = (turn: number) => async (_state: StateOf, config: LangGraphRunnableConfig) => {
  note(config, `turn ${turn}`, "begin");
  const model = new ChatOpenAI({ model: "scripted", maxRetries: 0 });
  const { text } = await model.invoke(`turn ${turn}`, config);
  note(config, `turn ${turn}`, "end");
  return { said: [text] };
};

export const talking = new StateGraph(State)
  .addNode("askOnce", ask(0))
  .addNode("askAgain", ask(1))
  .addEdge(START, "askOnce")
  .addEdge("askOnce", "askAgain")
  .addEdge("askAgain", END)
  .compile();

async function pay({ done, stepMs }: StateOf, config: LangGraphRunnableConfig) {
  note(config, `payment ${done}`, "begin");
  const receipt = await effect(config, "charge", async (key) => {
    await sleep(stepMs / 4, undefined, { signal: config.signal });
    note(config, key, "done outside");
    return `${process.pid}-${Math.random()}`;
  });
  await sleep(stepMs, undefined, { signal: config.signal });
  note(config, `payment ${done}`, "end");
  return { done: 1, said: [receipt] };
}

export const paying = new StateGraph(State)
  .addNode("pay", pay)
  .addEdge(START, "pay")
  .addConditionalEdges("pay", ({ done, steps }) => (done >= steps ? END : "pay"), ["pay", END])
  .compile();
