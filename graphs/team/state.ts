import { type LangGraphRunnableConfig, StateSchema } from "@langchain/langgraph";
import { type Agent, appending, ledgerState, taskInput, taskState, type tierOf } from "ensemble/patterns";
import { z } from "zod";
import { Tasks, TeamTask } from "./tasks.ts";

/** A message between members. */
export const Mail = z.object({
  from: z.string().describe("Member that wrote it. The team itself writes notices."),
  to: z.string().describe("Member that gets it"),
  content: z.string().describe("The message"),
  summary: z.string().describe("The message in a few words"),
  round: z.number().int().describe("Round in which it was sent"),
  broadcast: z.boolean().default(false).describe("Whether it went to all members"),
});
export type Mail = z.infer<typeof Mail>;

/** Returns how many broadcasts were sent. A broadcast sends one message to every other member. */
export const broadcastsIn = (mail: Mail[]): number =>
  new Set(mail.flatMap(({ broadcast, from, round, content }) => (broadcast ? JSON.stringify([from, round, content]) : []))).size;

/** One call of a tool of the team. */
const Action = z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) });

/** The record of one turn of a member. */
export const Turn = z.object({
  member: z.string(),
  task: z.string().nullable(),
  answer: z.string().nullable(),
  error: z.string().nullable(),
  isFatal: z.boolean(),
  actions: z.array(Action),
});
export type Turn = z.infer<typeof Turn>;

/** The times of one turn on a task, in milliseconds since 1970. */
const TurnTimes = z.object({ task: z.string(), startedAt: z.number(), endedAt: z.number() });

const list = <Item extends z.ZodType>(item: Item, description: string) =>
  z
    .array(item)
    .default(() => [])
    .describe(description);

export const State = new StateSchema({
  ...taskState,
  rules: z.unknown().describe("Context of the run. A run that resumes this one does not change it."),
  topology: z
    .enum(["star", "mesh"])
    .nullable()
    .default(null)
    .describe("star: no messages; mesh: members claim tasks and write to each other"),
  score: z.number().nullable().default(null).describe("The judge's score of how much the members need each other, from 1 to 5"),
  tasks: list(TeamTask, "The shared list of tasks"),
  turns: appending(Turn, "Turns of the present round"),
  times: appending(TurnTimes, "Times of every turn on a task"),
  inbox: list(Mail, "Messages that members read in the next round"),
  mail: list(Mail, "Every message between members"),
  lost: list(z.string(), "Members that failed for good"),
  round: z.number().int().default(0).describe("Rounds so far"),
  isIdle: z.boolean().default(false).describe("Whether nothing changed in the last round"),
  stopped: z
    .enum(["deadlock", "failures", "rounds"])
    .nullable()
    .default(null)
    .describe("Why the team stopped with unfinished tasks. Null if all tasks are completed."),
  gaps: list(z.string(), "Tasks that are not completed, and why"),
  notes: list(z.string(), "Warnings, such as the price of a mesh"),
  result: z.string().nullable().default(null).describe("Answer of the lead"),
  ...ledgerState,
});
export type Team = typeof State.State;

const { messages, result, tasks, topology, score, mail, stopped, gaps, notes, ledger, metrics } = State.fields;
export const Input = taskInput({ tasks: Tasks });
export const Output = new StateSchema({ result, tasks, topology, score, mail, stopped, gaps, notes, messages, ledger, metrics });

export type Config = LangGraphRunnableConfig;
type Settings = Omit<Parameters<typeof tierOf>[0], "askTimeoutSeconds">;

/** The fields of the context that the nodes read. */
export interface TeamContext extends Settings {
  topology: "auto" | "star" | "mesh";
  onUnclear: "ask" | "star";
  delegateOnly: boolean;
  onFailures: "ask" | "partial";
  maxBroadcasts: number;
  maxRounds: number;
  timeoutSeconds: number;
  askTimeoutSeconds: number | null;
}

/** The values that all nodes share. */
export interface Setup {
  contextOf(state: { rules: unknown }, config: Config): TeamContext;
  leadOf(state: { rules: unknown }): Agent;
  membersOf(state: { rules: unknown }): Agent[];
}
