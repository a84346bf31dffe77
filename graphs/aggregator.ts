import { END, type GraphNode, Overwrite, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentOptions,
  agent,
  answerWith,
  beginTask,
  compare,
  fail,
  failing,
  failureOf,
  findPatterns,
  guarded,
  measured,
  orFail,
  patternContext,
  rates,
  recommend,
  report,
  reportOf,
  requireAgent,
  runAgent,
  SynthesisAnswer,
  sharedContext,
  tierOf,
  wordsOf,
} from "ensemble/patterns";
import { z } from "zod";
import { Input, Output, State } from "./aggregator/state.ts";

const instructions = "Bring together what the texts say. Invent nothing. Name the labels of those that agree and of those that disagree.";

const context = {
  ...sharedContext,
  ...rates,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
};

/** The options of `aggregate`: new defaults for the context of the runs, and the agent (`editor`) that writes the synthesis. */
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

  /** Clears the values of an earlier run on the thread. The cost and the texts of that run must not appear in this run. */
  const begin: Node = (state) => {
    const { task, messages } = beginTask(state);
    return { task: task || null, messages, answer: null, written: null, ledger: new Overwrite([]) };
  };

  const comparing: Node = ({ results }, config) => ({ comparison: compare(results, contextOf(config)) });
  const findingPatterns: Node = ({ results }) => ({ patterns: findPatterns(results) });
  const recommending: Node = ({ results }, config) => ({ recommendation: recommend(results, contextOf(config).thresholds) });

  const assign = (config: Config, { results, task, ledger }: typeof State.State, what: string) => {
    const { timeoutSeconds, ...context } = contextOf(config);
    const input = results.flatMap(({ label, status, text, findings }) =>
      text || findings.length ? [{ label, status, text, findings }] : [],
    );
    const writer = agent({ name: "editor", role: "the editor of a report", instructions, timeoutSeconds, ...editor });
    return {
      agent: writer,
      ...tierOf(context, "judge"),
      task: `${what} on ${task ?? "these results"}`,
      input,
      pattern: "aggregator",
      earlier: ledger,
    };
  };

  /** Writes a synthesis of the texts in the results. Calls no model if the results have no text. */
  const synthesize: Node = async (state, config) => {
    const assignment = assign(config, state, "Write the report");
    if (assignment.input.length === 0) return { answer: null };
    const { result, ledger } = await requireAgent({ ...assignment, schema: SynthesisAnswer }, config);
    return { answer: result, ledger };
  };

  /** Writes the document that the caller has requested, and streams its tokens. */
  const write: Node = async (state, config) => {
    const { input, ...assignment } = assign(config, state, `Write ${state.deliverable}`);
    const told = { results: input, synthesis: state.answer };
    const outcome = await runAgent<string>({ ...assignment, input: told, quiet: false }, config);
    if (outcome.status !== "success") throw failureOf(assignment.agent, outcome);
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

  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: Output, context: Context })
        .addNode("begin", begin)
        .addNode("compare", comparing)
        .addNode("findPatterns", findingPatterns)
        .addNode("recommend", recommending)
        .addNode("synthesize", failing(synthesize))
        .addNode("write", failing(write))
        .addNode("conclude", conclude, { defer: true }) // `conclude` waits for all strategies and for the deliverable
        .addNode("fail", fail, { ends: [END] })
        .addEdge(START, "begin")
        .addConditionalEdges("begin", chooseStrategies, Object.values(nodes))
        .addEdge("compare", "conclude")
        .addEdge("findPatterns", "conclude")
        .addEdge("recommend", "conclude")
        .addConditionalEdges("synthesize", orFail(afterSynthesis), ["write", "conclude", "fail"])
        .addConditionalEdges(
          "write",
          orFail(() => "conclude"),
          ["conclude", "fail"],
        )
        .addEdge("conclude", END)
        .compile({ name }),
    ),
  );
};

export const graph = aggregate();
