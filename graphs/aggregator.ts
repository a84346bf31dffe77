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

/** Given anew with each run: what a thread was asked before does not linger. */
const Input = z.object({
  results: LabelledResults.default([]).describe("What is brought together; of none the report says so"),
  strategies: z.array(Strategy).min(1).default(["compare", "patterns", "recommend"]).describe("How; synthesize needs a model"),
  expected: z.array(z.string()).default([]).describe("Labels that should be among the results; those that are not are named as gaps"),
  task: z.string().trim().min(1).nullable().default(null).describe("What the results are about"),
});

const State = new StateSchema({
  ...Input.shape,
  comparison: Comparison.nullable().default(null).describe("What compare found"),
  patterns: OutcomePatterns.nullable().default(null).describe("What findPatterns found"),
  recommendation: Recommendation.nullable().default(null).describe("What recommend found"),
  synthesis: Synthesis.nullable().default(null).describe("What synthesize wrote"),
  report: Aggregation.nullable().default(null).describe("What the results say together"),
  ledger: Ledger,
});

const Output = new StateSchema({ report: State.fields.report, ledger: State.fields.ledger });

const Context = z.object({
  ...sharedContext,
  thresholds: Thresholds,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("For the call of the model"),
});

type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];

const contextOf = (config: Config) => Context.parse(config.context ?? {});

/** What an earlier run on the thread has cost is not this one's. */
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

/** Needs texts: where there are none, there is nothing to bring together and no model to ask. */
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

/** Puts together what was asked for. A strategy that was not leaves null, whatever an earlier run of the thread found. */
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

/** Several results become one report: every strategy that is asked for works side by side with the others. */
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
