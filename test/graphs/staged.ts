import { Annotation, END, interrupt, type LangGraphRunnableConfig, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({
  skill: Annotation<string>(),
  mode: Annotation<string>(),
  round: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  report: Annotation<unknown>(),
});

const names = ["simple", "medium", "complex"];
const sizes = [100, 300, 800];
const percents = [30, 50, 70, 90, 100];

function plan({ skill, mode }: typeof State.State, { writer }: LangGraphRunnableConfig) {
  const scenarios = names.map((name, index) => ({ name, difficulty: "easy", items: sizes[index], timeBudgetSeconds: 30 }));
  writer?.({ type: "plan", pattern: "scenario", elapsedMs: 1, skill, mode, scenarios });
  for (const scenario of names) tell(writer, "state", { scenario, from: "pending", to: "running", reason: "started" });
  return {};
}

type Writer = LangGraphRunnableConfig["writer"];
const tell = (writer: Writer, type: string, details: object, elapsedMs = 1) =>
  writer?.({ type, pattern: "scenario", ...details, elapsedMs });

/** Sends one batch event for each scenario, in the form of the scenario graph, with invented figures. */
function work({ round }: typeof State.State, { writer }: LangGraphRunnableConfig) {
  const percent = percents[round] ?? 100;
  names.forEach((scenario, index) => {
    const elapsedMs = (index + 1) * (round + 1) * 100;
    const totalItems = sizes[index] ?? 0;
    const batch = { scenario, status: "running", percent, items: (totalItems * percent) / 100, totalItems, quality: 0.9, batch: round };
    tell(writer, "batch", batch, elapsedMs);
    tell(writer, "milestone", { scenario, percent, atMs: elapsedMs }, elapsedMs);
    if (percent === 100) tell(writer, "state", { scenario, from: "running", to: "complete", reason: null }, elapsedMs);
  });
  if (percent === 30)
    tell(writer, "sync", { milestone: 30, waits: names.map((scenario) => ({ scenario, percent, waitedMs: 5, arrived: true })) });
  return { round: round + 1 };
}

const rows = names.map((label, index) => ({
  label,
  status: "complete",
  items: sizes[index],
  elapsedMs: (index + 1) * 500,
  msPerItem: 5 - index,
  quality: 0.9,
  failedItems: 0,
  rank: index + 1,
}));

const finish = () => ({
  report: {
    comparison: {
      rows,
      scaling: { class: "sublinear", ratio: 0.6, from: "simple", to: "complex" },
      measures: [{ name: "stability", value: 0.01, threshold: 0.05, verdict: "accept" }],
    },
    recommendation: {
      label: "medium",
      reasons: ["the best quality for its time"],
      itemsPerRequest: 300,
      expectedSeconds: 1,
      concurrency: 2,
      actions: ["Use medium"],
    },
  },
});

/** A graph that sends the events of three scenarios, as the scenario graph does. */
export const graph = new StateGraph(State)
  .addNode("plan", plan)
  .addNode("work", work)
  .addNode("finish", finish)
  .addEdge(START, "plan")
  .addEdge("plan", "work")
  .addConditionalEdges("work", ({ round }) => (round < percents.length ? "work" : "finish"), ["work", "finish"])
  .addEdge("finish", END)
  .compile();

const Asking = Annotation.Root({
  answers: Annotation<unknown[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
  title: Annotation<string>(),
});

const approve = () => ({
  answers: [interrupt({ type: "approval", prompt: "May it be sent?", details: { tool: "send", args: { to: "all" } } })],
});
const choose = () => ({ answers: [interrupt({ type: "selection", prompt: "Which one?", options: ["red", "blue"] })] });
const write = () => ({ answers: [interrupt({ type: "input", prompt: "What name?" })] });

/** A graph that asks in each form that the patterns use, one after another. */
export const questions = new StateGraph(Asking)
  .addNode("approve", approve)
  .addNode("choose", choose)
  .addNode("write", write)
  .addEdge(START, "approve")
  .addEdge("approve", "choose")
  .addEdge("choose", "write")
  .addEdge("write", END)
  .compile();

const Hostile = Annotation.Root({ result: Annotation<string>() });

/** A graph that sends text with control characters for terminals. */
export const hostile = new StateGraph(Hostile)
  .addNode("trick", (_, { writer }: LangGraphRunnableConfig) => {
    writer?.({ type: "\x1b[2Jtrick", pattern: "\x1b]0;title\x07hostile", note: "\u009b31mred" });
    return { result: "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 back\rover\u202e" };
  })
  .addEdge(START, "trick")
  .addEdge("trick", END)
  .compile();
