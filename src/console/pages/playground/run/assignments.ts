import { isObject } from "../../../parts/json-schema.ts";

export type Outcome = "running" | "done" | "failed" | "stopped";

/** A piece of work that a graph has given to an agent. It is a task of the graph whose input names the agent. */
export interface Assignment {
  /** The id of the task in the graph. */
  id: string;
  agent: string;
  /** The id of the assignment in the agents' plan, such as "step-1". Undefined if the agents have no plan. */
  key: string | undefined;
  task: string;
  startedAt: number;
  endedAt: number | undefined;
  outcome: Outcome;
}

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {});
const textIn = (...values: unknown[]) => values.find((value): value is string => typeof value === "string" && value !== "");
/** The fields in which Ensemble's ready-made graphs name the agent of a task. */
const actorKeys = ["agent", "member", "expert", "actor", "listener", "subscriber", "squad"];
const nameOf = (value: unknown) => (isObject(value) ? textIn(value.name) : textIn(value));

/**
 * Reads from the input of a graph's task which agent does the task, and what the work is. Ensemble's ready-made graphs send each piece of
 * work to a node together with its agent. In a conversation, the input is the state, which names the speaker. Returns undefined for a task
 * without an agent.
 */
export function assignmentIn(node: string, input: unknown): Pick<Assignment, "agent" | "key" | "task"> | undefined {
  const fields = fieldsOf(input);
  const [step, deed] = [fieldsOf(fields.step), fieldsOf(fields.do)];
  const key = textIn(step.id, fields.own);
  const named = actorKeys.map((actor) => nameOf(fields[actor])).find(Boolean);
  const actor = named ?? textIn(deed.agent, step.agent) ?? (node === "speak" ? textIn(fields.speaker) : undefined);
  const agent = actor ?? key;
  if (agent === undefined || (!named && !isObject(fields.step) && node !== "speak")) return undefined;
  return { agent, key, task: taskIn(fields, step, deed) };
}

function taskIn(fields: Fields, step: Fields, deed: Fields): string {
  const listed = Array.isArray(fields.tasks) ? fields.tasks.filter(isObject).find(({ id }) => id === fields.own) : undefined;
  const { intention } = fieldsOf(fields.intention);
  return textIn(step.task, deed.task, intention, listed?.subject, fields.task, fields.question, fields.wholeTask) ?? "";
}

const good = ["success", "done", "completed", "complete", "skipped"];

/**
 * Marks an assignment as failed if a progress event reports any status except success. The event names the key or the agent of the
 * assignment. If several assignments match, marks the newest one.
 */
export function noteOutcome(assignments: Assignment[], event: unknown): void {
  const fields = fieldsOf(event);
  const { status } = fields;
  if (typeof status !== "string") return;
  const actor = textIn(fields.agent, fields.speaker, fields.member, fields.expert, fields.squad, fields.listener);
  const key = textIn(fields.step, fields.objective, fields.task);
  const isMeant = (one: Assignment) => (key !== undefined && one.key !== undefined ? one.key === key : one.agent === actor);
  const found = assignments.findLast((one) => isMeant(one) && (actor === undefined || one.agent === actor));
  if (found && !good.includes(status)) found.outcome = "failed";
}
