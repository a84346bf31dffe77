import { END, type GraphNode, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { Aggregation, gapsOf } from "./kit/aggregation.ts";
import { Comparison, compare } from "./kit/comparison.ts";
import { sharedContext, wide } from "./kit/context.ts";
import { LabelledResults } from "./kit/labelled-result.ts";
import { Ledger } from "./kit/ledger.ts";
import { Thresholds } from "./kit/measures.ts";
import { findPatterns, OutcomePatterns } from "./kit/outcome-patterns.ts";
import { report } from "./kit/progress.ts";
import { Recommendation, recommend } from "./kit/recommendation.ts";
import { requireAgent } from "./kit/require.ts";
import { Synthesis } from "./kit/synthesis.ts";

const Strategy = z.enum(["compare", "patterns", "recommend", "synthesize"]);

/** The input of a run. Every field has a default, so that values of an earlier run on the thread do not remain. */
const Input = z.object({
  results: LabelledResults.default([]).describe("Results to aggregate. Without any, the report says so."),
  strategies: z
    .array(Strategy)
    .min(1)
    .default(["compare", "patterns", "recommend"])
    .describe("Strategies to apply. `synthesize` needs a model."),
  expected: z.array(z.string()).default([]).describe("Labels that should be among the results. Missing ones are reported as gaps."),
  task: z.string().trim().min(1).nullable().default(null).describe("Subject of the results"),
});

const State = new StateSchema({
  ...Input.shape,
  comparison: Comparison.nullable().default(null).describe("Result of `compare`"),
  patterns: OutcomePatterns.nullable().default(null).describe("Result of `findPatterns`"),
  recommendation: Recommendation.nullable().default(null).describe("Result of `recommend`"),
  synthesis: Synthesis.nullable().default(null).describe("Result of `synthesize`"),
  report: Aggregation.nullable().default(null).describe("The aggregated report"),
  ledger: Ledger,
});

const Output = new StateSchema({ report: State.fields.report, ledger: State.fields.ledger });

const Context = z.object({
  ...sharedContext,
  thresholds: Thresholds,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of the model call"),
});

type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];

const contextOf = (config: Config) => Context.parse(config.context ?? {});

/** Clears the ledger, so that it does not include the cost of an earlier run on the thread. */
const begin: Node = () => ({ ledger: new Overwrite([]) });

const comparing: Node = ({ results }, config) => ({ comparison: compare(results, contextOf(config).thresholds) });
const findingPatterns: Node = ({ results }) => ({ patterns: findPatterns(results) });
const recommending: Node = ({ results }, config) => ({ recommendation: recommend(results, contextOf(config).thresholds) });

const editor = {
  name: "editor",
  role: "the editor of a report",
  instructions: "Bring together what the texts say. Invent nothing.",
  weight: 1,
  retries: 2,
};

/** Synthesizes the texts of the results. Without texts it makes no model call. */
const synthesizing: Node = async ({ results, task }, config) => {
  const { models, limits, budget, timeoutSeconds } = contextOf(config);
  const texts = results.flatMap(({ label, status, text }) => (text ? [{ label, status, text }] : []));
  if (texts.length === 0) return { synthesis: null };
  const outcome = await requireAgent(
    {
      agent: { ...editor, timeoutSeconds },
      model: models.judge,
      temperature: models.temperature,
      task: `Write the report on ${task ?? "these results"}`,
      input: texts,
      answer: { name: "report", schema: Synthesis },
      limits: wide(limits),
      budget,
    },
    config,
  );
  return { synthesis: outcome.result, ledger: [outcome.entry] };
};

/** Assembles the requested results. A strategy that was not requested is null, even if an earlier run of the thread has a result. */
const conclude: Node = (state, config) => {
  const { results, strategies, expected } = state;
  const only = <Part>(strategy: z.infer<typeof Strategy>, part: Part) => (strategies.includes(strategy) ? part : null);
  const synthesis = only("synthesize", state.synthesis);
  const untold = strategies.includes("synthesize") && !synthesis ? ["synthesis: no result has a text"] : [];
  const gaps = [...gapsOf(results, expected), ...untold, ...(synthesis?.gaps ?? [])];
  report(config, "aggregator", "report", Date.now(), { results: results.length, strategies, gaps: gaps.length });
  return {
    report: {
      comparison: only("compare", state.comparison),
      patterns: only("patterns", state.patterns),
      recommendation: only("recommend", state.recommendation),
      synthesis,
      gaps: [...new Set(gaps)],
    },
  };
};

const nodes = { compare: "compare", patterns: "findPatterns", recommend: "recommend", synthesize: "synthesize" } as const;
const chooseStrategies = ({ strategies }: typeof State.State) => strategies.map((strategy) => nodes[strategy]);

/** Turns several results into one report. All requested strategies run in parallel. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("begin", begin)
  .addNode("compare", comparing)
  .addNode("findPatterns", findingPatterns)
  .addNode("recommend", recommending)
  .addNode("synthesize", synthesizing)
  .addNode("conclude", conclude)
  .addEdge(START, "begin")
  .addConditionalEdges("begin", chooseStrategies, Object.values(nodes))
  .addEdge("compare", "conclude")
  .addEdge("findPatterns", "conclude")
  .addEdge("recommend", "conclude")
  .addEdge("synthesize", "conclude")
  .addEdge("conclude", END)
  .compile({ name: "aggregator" });
