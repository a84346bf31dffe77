import { END, type GraphNode, Overwrite, START, StateGraph, StateSchema } from "@langchain/langgraph";
import { z } from "zod";
import { sharedContext, wide } from "./kit/context.ts";
import { enforceBudget, Ledger } from "./kit/ledger.ts";
import { report } from "./kit/progress.ts";
import { requireAgent } from "./kit/require.ts";
import { appending } from "./kit/state.ts";
import { Task } from "./kit/task.ts";

const Draft = z.object({ text: z.string().min(1).describe("The whole text") });

const Critique = z.object({
  valid: z.boolean().describe("Whether the draft meets every criterion"),
  score: z.number().min(0).max(1).describe("How good it is, 1 being flawless"),
  problems: z
    .array(z.object({ what: z.string().describe("What is wrong"), fix: z.string().describe("How to mend it") }))
    .describe("Empty when it is valid"),
});

const Round = Critique.extend({ draft: z.string().describe("Draft that was judged") });

const State = new StateSchema({
  task: Task.describe("Text to write"),
  criteria: z.array(z.string().min(1)).default([]).describe("Criteria for the text. Without any: clear, correct and complete."),
  draft: z.string().default("").describe("Current draft"),
  rounds: appending(Round, "Every draft with its critique"),
  result: z.string().nullable().default(null).describe("Best draft by the critic's score"),
  ledger: Ledger,
});

const { fields } = State;
/** The fields that a caller gives or sees. The rest of the state is internal. */
const Input = z.object({ task: fields.task, criteria: fields.criteria });
const Output = new StateSchema({ result: fields.result, rounds: fields.rounds, ledger: fields.ledger });

const Context = z.object({
  ...sharedContext,
  maxRounds: z.number().int().min(1).max(10).default(3).describe("Maximum number of critiques"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
});

type Node = GraphNode<typeof State, z.input<typeof Context>>;
type Config = Parameters<Node>[1];

const contextOf = (config: Config) => Context.parse(config.context ?? {});

const writer = { name: "writer", role: "a careful writer", instructions: "Write exactly what the task asks for.", weight: 1, retries: 2 };
const critic = {
  name: "critic",
  role: "a strict but fair critic",
  instructions: "Judge the draft against each criterion.",
  weight: 1,
  retries: 2,
};

/** Clears what an earlier run left on the thread. */
const begin: Node = () => ({ draft: "", rounds: new Overwrite([]), result: null, ledger: new Overwrite([]) });

/** Writes the first draft, or a revision that fixes every problem of the critique. */
const write: Node = async ({ task, criteria, rounds, draft, ledger }, config) => {
  const { budget, limits, models, timeoutSeconds } = contextOf(config);
  enforceBudget(ledger, budget);
  const problems = rounds.at(-1)?.problems.map(({ what, fix }) => `${what} Mend it so: ${fix}`);
  const outcome = await requireAgent(
    {
      agent: { ...writer, timeoutSeconds },
      model: models.worker,
      temperature: models.temperature,
      task: draft ? `Revise the draft. The task was: ${task}` : task,
      input: draft ? { draft, problems } : undefined,
      constraints: criteria,
      answer: { name: "draft", schema: Draft },
      limits: draft ? wide(limits) : limits,
      budget,
    },
    config,
  );
  report(config, "reflect", "draft", Date.parse(outcome.entry.at), { round: rounds.length + 1 });
  return { draft: outcome.result.text, ledger: [outcome.entry] };
};

const judge: Node = async ({ task, criteria, draft, rounds, ledger }, config) => {
  const { budget, limits, models, timeoutSeconds } = contextOf(config);
  enforceBudget(ledger, budget);
  const outcome = await requireAgent(
    {
      agent: { ...critic, timeoutSeconds },
      model: models.judge,
      temperature: models.temperature,
      task: `Judge this draft. The task was: ${task}`,
      input: draft,
      constraints: criteria.length > 0 ? criteria : ["clear", "correct", "complete"],
      answer: { name: "critique", schema: Critique },
      limits: wide(limits),
      budget,
    },
    config,
  );
  const round = { ...outcome.result, draft };
  report(config, "reflect", "critique", Date.parse(outcome.entry.at), { round: rounds.length + 1, valid: round.valid, score: round.score });
  return { rounds: [round], ledger: [outcome.entry] };
};

/** Returns the draft with the best score, which need not be the last. Of equal scores the later one wins. */
const choose: Node = ({ rounds }) => {
  const best = rounds.reduce((winner, round) => (round.score >= winner.score ? round : winner));
  return { result: best.draft };
};

const nextRound = ({ rounds }: typeof State.State, config: Config) =>
  rounds.at(-1)?.valid || rounds.length >= contextOf(config).maxRounds ? "choose" : "write";

/** Drafts, lets a critic judge the draft, and revises. Returns the best draft, not merely the last. */
export const graph = new StateGraph({ state: State, input: Input, output: Output, context: Context })
  .addNode("begin", begin)
  .addNode("write", write)
  .addNode("judge", judge)
  .addNode("choose", choose)
  .addEdge(START, "begin")
  .addEdge("begin", "write")
  .addEdge("write", "judge")
  .addConditionalEdges("judge", nextRound, ["write", "choose"])
  .addEdge("choose", END)
  .compile({ name: "reflect" });
