import { END, START, StateGraph, StateSchema } from "@langchain/langgraph";
import {
  AllowedHosts,
  AskTimeout,
  answerWith,
  asText,
  beginTask,
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  conditionToData,
  guarded,
  inStages,
  measured,
  mostSuperSteps,
  patternContext,
  Roster,
  taskInput,
} from "ensemble/patterns";
import { z } from "zod";
import { actorInCode, actorOf, type MeshMember, usualKeys, usualMembers } from "./mesh/members.ts";
import { afterAnnounce, afterPermit, afterRound, announce, askAboutFailures, decide, endingOf, permit, update } from "./mesh/nodes.ts";
import { act, type Config, look, object, type Setup } from "./mesh/parts.ts";
import { cleared } from "./mesh/rounds.ts";
import { type Mesh, meshState, type PartTimes } from "./mesh/state.ts";

const Input = taskInput({
  board: z.record(z.string(), z.unknown()).default({}).describe("First values of the board"),
  done: Condition.nullable().default(null).describe("Condition that ends the run. It sees `board`, `round` and `task`."),
});

const State = new StateSchema({
  ...meshState,
  status: z.enum(["running", "done", "quiescent", "limit", "failures"]).default("running").describe("Why the run ended"),
  output: z.unknown().default(null).describe("Value of the answer key on the board, or the last value that was written"),
});
const { status, output, board, rounds, changes, standings, lost, errors, ledger, metrics, messages } = State.fields;
const Output = new StateSchema({ status, output, board, rounds, changes, standings, lost, errors, ledger, metrics, messages });

const shape = {
  agents: Roster.min(2).max(50).optional().describe("Agents of the mesh. Default: a scout, a critic and a writer"),
  keys: z
    .array(z.string().min(1))
    .max(100)
    .optional()
    .describe("Keys of the board that agents may touch. By default, agents choose the names"),
  answerKey: z.string().min(1).default("answer").describe("Key whose value is the answer of the run"),
  objections: z
    .boolean()
    .default(true)
    .describe("Whether agents are asked for objections. Two intentions for one key always oppose each other"),
  maxRounds: z.number().int().min(1).max(200).default(20).describe("Rounds after which the run ends"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many lost agents: ask a person, or end with the result so far"),
  askTimeoutSeconds: AskTimeout,
  allowedHosts: AllowedHosts,
};
const contextFor = (defaults: object) => patternContext(shape, defaults);
type Context = ReturnType<typeof contextFor>;

/** The options of `mesh`: agents and functions, a condition that ends the run, and defaults for the context of a run. */
export interface MeshOptions extends Omit<z.input<Context>, "agents"> {
  agents?: MeshMember[];
  done?: ConditionInCode;
  name?: string;
  description?: string;
}

const afterRounds: ("look" | "decide" | "askAboutFailures" | "conclude")[] = ["look", "decide", "askAboutFailures", "conclude"];

/** Returns a graph of agents without a leader. In each round, they announce what they want to do, object to each other, act, and adapt. */
export function mesh({ agents, done, name = "mesh", description, ...defaults }: MeshOptions = {}) {
  const code: Code = new Map();
  const conditions: Conditions = new Map();
  const own = (agents ?? usualMembers).map((member) => actorInCode(member, code));
  const isUsual = agents === undefined;
  const context = contextFor(defaults);
  const setup: Setup = {
    ...{ name, code, conditions },
    rulesOf(config) {
      const { agents: sent, keys, ...rules } = context.parse(config.context ?? {});
      const known = keys ?? (isUsual && !sent ? usualKeys : []);
      return { ...rules, actors: sent?.map(actorOf) ?? own, agents: sent ?? [], keys: known, context: rules };
    },
  };
  const ownDone = done ? conditionToData(done, "done", conditions) : null;
  const begin = (state: Mesh, config: Config) => {
    const first = beginTask(state);
    const { actors, answerKey } = setup.rulesOf(config);
    return {
      ...first,
      ...cleared(actors),
      status: "running" as const,
      done: state.done ?? ownDone ?? { path: `board.${answerKey}`, exists: true },
    };
  };
  const conclude = (state: Mesh, config: Config) => {
    const output = state.board[setup.rulesOf(config).answerKey] ?? state.changes.at(-1)?.value ?? null;
    const answer = output === null ? "Nobody acted." : asText(output);
    return { status: endingOf(setup, state, config), output, messages: answer === state.spoken ? [] : answerWith(answer) };
  };
  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: Output, context })
        .addNode("begin", begin)
        .addNode("look", look(setup))
        .addNode("announce", announce(setup))
        .addNode("object", object(setup))
        .addNode("permit", permit(setup))
        .addNode("act", act(setup))
        .addNode("update", update(setup))
        .addNode("decide", decide(setup))
        .addNode("askAboutFailures", askAboutFailures(setup))
        .addNode("conclude", conclude)
        .addEdge(START, "begin")
        .addConditionalEdges("begin", afterRound(setup), afterRounds)
        .addEdge("look", "announce")
        .addConditionalEdges("announce", afterAnnounce(setup), ["look", "object", "permit", "update"])
        .addEdge("object", "permit")
        .addConditionalEdges("permit", afterPermit(setup), ["object", "act", "update"])
        .addEdge("act", "update")
        .addConditionalEdges("update", afterRound(setup), ["act", ...afterRounds])
        .addConditionalEdges("decide", afterRound(setup), afterRounds)
        .addConditionalEdges("askAboutFailures", afterRound(setup), afterRounds)
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
    ({ times }: Mesh) => ({ pieces: inStages(stagesIn(times)) }),
  ).withConfig({ recursionLimit: mostSuperSteps * 5 });
}

const parts: PartTimes["part"][] = ["look", "object", "act"];

/** Returns the times of the agents' work, grouped by the part of each round. A part begins when all agents have ended the previous part. */
function stagesIn(times: PartTimes[]): PartTimes[][] {
  const placeOf = ({ round, part }: PartTimes) => round * parts.length + parts.indexOf(part);
  const stages = [...Map.groupBy(times, placeOf)];
  return stages.toSorted(([one], [other]) => one - other).map(([, stage]) => stage);
}

export const graph = mesh();
