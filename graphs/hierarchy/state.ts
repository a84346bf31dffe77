import { type GraphNode, type LangGraphRunnableConfig, Overwrite, ReducedValue, StateSchema } from "@langchain/langgraph";
import { Material, taskInput, taskState } from "ensemble/patterns";
import { z } from "zod";
import { State as TeamState } from "../supervisor/state.ts";
import { Objective } from "./objectives.ts";
import { SquadReport } from "./report-up.ts";
import { SquadState } from "./squads.ts";

const Decision = z.object({
  decision: z.enum(["continue", "finish", "ask"]).describe("Decision of the commander"),
  reason: z.string().describe("Reason of the decision"),
  changes: z.array(z.string()).describe("Objectives that were reassigned, granted resources, added or aborted"),
  refused: z.array(z.string()).describe("Changes that could not be made, with the reasons"),
});

const Grant = z.object({
  tokens: z.number().optional().describe("Tokens that the squad may use for this objective"),
  agents: z.number().optional().describe("Number of the squad's workers that may work in parallel"),
});
export type Grant = z.infer<typeof Grant>;

const Order = z.object({
  question: z.string().describe("Question of the commander"),
  answer: z.string().nullable().describe("Answer of the person. Null if nobody answered in time."),
});

const mission = taskState.task.describe("Mission of the squads");

/** The state keys of the supervisor and of the hierarchy. The supervisor's steps are the objectives, and its agents are the squads. */
export const State = new StateSchema({
  ...TeamState.fields,
  mission,
  squads: z.record(z.string(), SquadState).default({}).describe("Squads of the run"),
  objectives: z.array(Objective).default([]).describe("Objectives, as the commander gave them"),
  reports: new ReducedValue(
    z
      .record(z.string(), SquadReport)
      .default(() => ({}))
      .describe("Last report on each objective"),
    { inputSchema: z.record(z.string(), SquadReport), reducer: (all, more) => ({ ...all, ...more }) },
  ),
  grants: z.record(z.string(), Grant).default({}).describe("Resources that the commander granted, by objective"),
  decisions: z.array(Decision).default([]).describe("Decisions of the commander after waves"),
  question: z
    .object({ prompt: z.string(), options: z.array(z.string()) })
    .nullable()
    .default(null)
    .describe("Question of the commander to a person"),
  orders: z.array(Order).default([]).describe("Questions of the commander and their answers"),
});

/**
 * Returns the update that clears the hierarchy's own values of an earlier run on the thread. The supervisor's function `cleared` does the
 * same for the supervisor's values.
 */
export const cleared = () => ({ reports: new Overwrite({}), grants: {}, decisions: [], question: null, orders: [] });

export const Input = taskInput(
  { mission, input: Material.default(null).describe("Material for the mission") },
  (given) => typeof given.mission === "string",
);

const { messages, objectives, reports, decisions, orders, settlements, report, ledger, metrics } = State.fields;
export const Output = new StateSchema({ messages, objectives, reports, decisions, orders, settlements, report, ledger, metrics });

export type Commanded = typeof State.State;
export type Config = LangGraphRunnableConfig;
export type Node = GraphNode<typeof State>;

/** The names of the graph's own nodes. */
const ownNodes = "strategise squad account decide askPerson askAboutFailures reconcile settle synthesize fail".split(" ");

/**
 * Tells whether a squad's name can be the name of its node. LangGraph refuses names of other nodes and of state keys, and some characters.
 */
export const isNodeName = (name: string): boolean =>
  !ownNodes.includes(name) && !Object.hasOwn(State.fields, name) && !/[|:]|^__/.test(name);
