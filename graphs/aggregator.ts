import { END, type GraphNode, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  type AgentOptions,
  Aggregation,
  agent,
  answerWith,
  beginTask,
  closed,
  compare,
  findPatterns,
  LabelledResults,
  Ledger,
  patternContext,
  rates,
  recommend,
  report,
  reportOf,
  requireAgent,
  runAgent,
  SynthesisAnswer,
  sharedContext,
  taskState,
  tierOf,
  wordsOf,
} from "ensemble/patterns";
import { z } from "zod";

const instructions = "Bring together what the texts say. Invent nothing. Name the labels of those that agree and of those that disagree.";

const Strategy = z.enum(["compare", "patterns", "recommend", "synthesize"]);

/** The input of a run. Every field has a default, because a field without a value would keep the one from an earlier run on the thread. */
const fields = {
  results: LabelledResults.default([]).describe("Results to aggregate. If empty, the report says so."),
  strategies: z
    .array(Strategy)
    .min(1)
    .default(["compare", "patterns", "recommend"])
    .describe("Strategies to apply. `synthesize` needs a model."),
  expected: z.array(z.string()).default([]).describe("Labels that should be among the results. Missing ones are reported as gaps."),
  deliverable: taskState.task.describe("Text to write from the results with `synthesize`, such as `a guide in Markdown`"),
  task: taskState.task.describe("Subject of the results"),
};
const Input = closed({ ...fields, messages: z.array(z.unknown()).default([]).describe("Conversation that names the subject") });

const State = new StateSchema({
  ...fields,
  messages: taskState.messages,
  comparison: Aggregation.shape.comparison.default(null),
  patterns: Aggregation.shape.patterns.default(null),
  recommendation: Aggregation.shape.recommendation.default(null),
  answer: SynthesisAnswer.nullable().default(null).describe("Result of `synthesize`"),
  written: z.string().nullable().default(null).describe("Result of `write`"),
  report: Aggregation.nullable().default(null).describe("The aggregated report"),
  ledger: Ledger,
});

const { messages, report: aggregated, ledger } = State.fields;
const Output = new StateSchema({ messages, report: aggregated, ledger });

const context = {
  ...sharedContext,
  ...rates,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
};

/** The options in code. They set new defaults for the context, and the agent that writes the synthesis. */
export interface AggregateOptions extends Partial<z.input<z.ZodObject<typeof context>>> {
  name?: string;
  editor?: Partial<AgentOptions>;
}

type Node = GraphNode<typeof State, z.input<z.ZodObject<typeof context>>>;
type Config = Parameters<Node>[1];

/** Returns a graph that turns several results into one report. All requested strategies run in parallel. */
export const aggregate = ({ name = "aggregator", editor = {}, ...options }: AggregateOptions = {}) => {
  const Context = patternContext(context, options);
  const contextOf = (config: Config) => Context.parse(config.context ?? {});

  /** Clears the values that an earlier run left on the thread, so that its cost and texts do not count in this run. */
  const begin: Node = (state) => {
    const { task, messages } = beginTask(state);
    return { task: task || null, messages, answer: null, written: null, ledger: new Overwrite([]) };
  };

  const comparing: Node = ({ results }, config) => ({ comparison: compare(results, contextOf(config)) });
  const findingPatterns: Node = ({ results }) => ({ patterns: findPatterns(results) });
  const recommending: Node = ({ results }, config) => ({ recommendation: recommend(results, contextOf(config).thresholds) });

  const assign = (config: Config, { results, task }: typeof State.State, what: string) => {
    const { timeoutSeconds, ...context } = contextOf(config);
    const input = results.flatMap(({ label, status, text, findings }) =>
      text || findings.length ? [{ label, status, text, findings }] : [],
    );
    const writer = agent({ name: "editor", role: "the editor of a report", instructions, timeoutSeconds, ...editor });
    return { agent: writer, ...tierOf(context, "judge"), task: `${what} on ${task ?? "these results"}`, input, pattern: "aggregator" };
  };

  /** Writes a synthesis of the texts in the results. If there are none, it calls no model. */
  const synthesize: Node = async (state, config) => {
    const assignment = assign(config, state, "Write the report");
    if (assignment.input.length === 0) return { answer: null };
    const { result, ledger } = await requireAgent({ ...assignment, schema: SynthesisAnswer }, config);
    return { answer: result, ledger };
  };

  /** Writes the document that the caller has requested. Its tokens are streamed. */
  const write: Node = async (state, config) => {
    const { input, ...assignment } = assign(config, state, `Write ${state.deliverable}`);
    const told = { results: input, synthesis: state.answer };
    const outcome = await runAgent<string>({ ...assignment, input: told, quiet: false }, config);
    if (outcome.status !== "success") throw new Error(`The editor could not write: ${outcome.error}`);
    return { written: outcome.result, ledger: outcome.ledger };
  };

  const conclude: Node = (state, config) => {
    const aggregation = reportOf(state);
    const { results, strategies } = state;
    report(config, "aggregator", "report", Date.now(), { results: results.length, strategies, gaps: aggregation.gaps.length });
    return { report: aggregation, messages: answerWith(wordsOf(aggregation)) };
  };

  const nodes = { compare: "compare", patterns: "findPatterns", recommend: "recommend", synthesize: "synthesize" } as const;
  const chooseStrategies = ({ strategies }: typeof State.State) => strategies.map((strategy) => nodes[strategy]);
  const afterSynthesis = ({ answer, deliverable }: typeof State.State) => (answer && deliverable ? "write" : "conclude");

  return new StateGraph({ state: State, input: Input, output: Output, context: Context })
    .addNode("begin", begin)
    .addNode("compare", comparing)
    .addNode("findPatterns", findingPatterns)
    .addNode("recommend", recommending)
    .addNode("synthesize", synthesize)
    .addNode("write", write)
    .addNode("conclude", conclude, { defer: true }) // `conclude` waits for all strategies and for the deliverable
    .addEdge(START, "begin")
    .addConditionalEdges("begin", chooseStrategies, Object.values(nodes))
    .addEdge("compare", "conclude")
    .addEdge("findPatterns", "conclude")
    .addEdge("recommend", "conclude")
    .addConditionalEdges("synthesize", afterSynthesis, ["write", "conclude"])
    .addEdge("write", "conclude")
    .addEdge("conclude", END)
    .compile({ name });
};

export const graph = aggregate();
