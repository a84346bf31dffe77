import { END, type LangGraphRunnableConfig, Overwrite, START, StateGraph } from "@langchain/langgraph";
import {
  agent,
  answerWith,
  asText,
  beginTask,
  budgetLeft,
  fail,
  failing,
  guarded,
  measured,
  openProjectGraph,
  orFail,
  patternContext,
  projectGraphIds,
  report,
  runAgent,
  taskInput,
  taskOf,
  tierOf,
  type Workable,
} from "ensemble/patterns";
import { z } from "zod";
import { describeFacts, type Facts, factsFrom, Reading } from "./chooser/facts.ts";
import { estimateOf, payloadFor } from "./chooser/payload.ts";
import { decide, missingFacts } from "./chooser/rules.ts";
import { GivenFacts, Output, Run, State, sentenceOf } from "./chooser/state.ts";
import { missingGraph, warningsOf } from "./chooser/warnings.ts";

const shape = {
  ask: z.boolean().default(true).describe("Whether a model looks for the facts that the caller has not given"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of the model call"),
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = ReturnType<typeof contextFor>;
type Config = LangGraphRunnableConfig<z.input<Context>>;
type Values = typeof State.State;

/** The options of `chooser`: new defaults for the context, and graphs to run in place of the project's graphs, by graph id. */
export type ChooserOptions = z.input<Context> & { graphs?: Record<string, Workable> };

interface Setup {
  graphs: Record<string, Workable>;
  contextOf(config: Config): z.output<Context>;
}

const reader = agent({
  name: "reader",
  role: "an analyst who finds facts about a task",
  instructions: "State only what the task itself shows, and quote the words that show it. Leave out what it does not show.",
});

/** Begins a run by clearing the values that an earlier run left on the thread. */
function begin(state: Values) {
  const cleared = { found: {}, evidence: {}, warnings: [], choice: null, result: null };
  return { ...beginTask(state), ...cleared, ledger: new Overwrite([]) };
}

/** Asks the judge for the facts that the decision needs and the caller has not given. If the judge fails, these facts stay unknown. */
const read =
  ({ contextOf }: Setup) =>
  async (state: Values, config: Config) => {
    const startedAt = Date.now();
    const context = contextOf(config);
    const given = state.facts ?? {};
    const missing = context.ask ? missingFacts(given) : [];
    if (missing.length === 0) return {};
    const task = `Find facts about the task in the material. The facts are:\n${describeFacts(missing)}`;
    const worker = { ...reader, output: Reading, timeoutSeconds: context.timeoutSeconds };
    const errand = { agent: worker, task, input: taskOf(state), pattern: "chooser", earlier: state.ledger };
    const outcome = await runAgent<z.infer<typeof Reading>>({ ...tierOf(context, "judge"), ...errand }, config);
    if (outcome.status !== "success") {
      return { warnings: [`The facts could not be read from the task: ${outcome.error}`], ledger: outcome.ledger };
    }
    const { facts: found, evidence } = factsFrom(outcome.result, given);
    report(config, "chooser", "read", startedAt, { facts: found });
    return { found, evidence, ledger: outcome.ledger };
  };

/** Chooses the pattern by rules, and prepares the request that starts a run of the pattern. */
const choose =
  ({ graphs, contextOf }: Setup) =>
  (state: Values, config: Config) => {
    const { models, budget } = contextOf(config);
    const facts: Facts = { ...state.found, ...state.facts };
    const decision = decide(facts);
    const { pattern } = decision;
    const missing = missingGraph(pattern, [...Object.keys(graphs), ...projectGraphIds()]);
    const chosen = {
      ...{ ...decision, graphId: pattern, facts, evidence: state.evidence },
      payload: payloadFor(pattern, taskOf(state), facts),
      estimate: estimateOf(pattern, facts, { model: models.worker, budget }),
      warnings: [...state.warnings, ...warningsOf(pattern, facts), ...(missing ? [missing] : [])],
    };
    return { choice: chosen, ...(!state.run && { messages: answerWith(sentenceOf(chosen)) }) };
  };

/** Runs the chosen pattern inside this run, with the models, limits and budget of this run. */
const runChosen =
  ({ graphs, contextOf }: Setup) =>
  async ({ choice: chosen, ledger: spent }: Values, config: Config) => {
    if (!chosen) throw new Error("No pattern was chosen.");
    const { graphId, payload } = chosen;
    const graph = graphs[graphId] ?? (await openProjectGraph(graphId));
    const { ask: _ask, timeoutSeconds: _timeout, ...shared } = config.context ?? {};
    const context = { ...shared, budget: budgetLeft(spent, contextOf(config).budget), ...payload.context };
    const values = Object(await graph.invoke(payload.input as never, { ...config, context }));
    const answer = values.messages?.at(-1);
    const ended = { result: values.structuredResponse ?? answer?.text ?? values, ledger: values.ledger ?? [] };
    return { ...ended, messages: answerWith(asText(answer?.text ?? values), answer) };
  };

/** Returns a graph that reads a task, chooses a pattern for it by rules, and prepares or starts the pattern. */
export function chooser({ graphs = {}, ...defaults }: ChooserOptions = {}) {
  const Context = contextFor(defaults);
  const setup: Setup = { graphs, contextOf: ({ context }) => Context.parse(context ?? {}) };
  return measured(
    guarded(
      new StateGraph({ state: State, input: taskInput({ facts: GivenFacts, run: Run }), output: Output, context: Context })
        .addNode("begin", begin)
        .addNode("read", failing(read(setup)))
        .addNode("choose", choose(setup))
        .addNode("runChosen", runChosen(setup))
        .addNode("fail", fail, { ends: [END] })
        .addEdge(START, "begin")
        .addEdge("begin", "read")
        .addConditionalEdges(
          "read",
          orFail(() => "choose"),
          ["choose", "fail"],
        )
        .addConditionalEdges("choose", ({ run }: Values) => (run ? "runChosen" : END), ["runChosen", END])
        .addEdge("runChosen", END)
        .compile({ name: "chooser" }),
    ),
  );
}

export const graph = chooser();
