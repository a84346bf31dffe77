import type { Schemas } from "../../../api.ts";
import { isObject } from "../../../parts/json-schema.ts";
import type { StreamEvent } from "../../../parts/sse.ts";
import { noScenario, type ScenarioView, takeScenarioEvent, takeScenarioOutput } from "../scenario/scenario.ts";
import { type Assignment, assignmentIn, noteOutcome, type Outcome } from "./assignments.ts";
import { addEntries, entriesIn, type LedgerEntry } from "./ledger.ts";
import { addPiece, type Message } from "./messages.ts";

/** One execution of a node, in the graph or in a subgraph. */
export interface Step {
  id: string;
  node: string;
  /** The tasks that contain this step, each as `node:id`, from the outermost to the innermost. */
  place: string[];
  startedAt: number;
  endedAt: number | undefined;
  outcome: Outcome;
  result: unknown;
}

export interface CustomEvent {
  at: number;
  data: unknown;
}

/**
 * Everything that the page shows of a run, as the events of the run's stream report it. The object is changed in place, because a run may
 * have many events.
 */
export interface RunView {
  attempt: number;
  steps: Step[];
  messages: Map<string, Message>;
  events: CustomEvent[];
  /** The number of custom events that were dropped, because there were too many. */
  droppedEvents: number;
  assignments: Assignment[];
  ledger: Map<string, LedgerEntry>;
  scenario: ScenarioView;
  questions: unknown[];
  error: { error: string; message: string } | undefined;
  output: unknown;
}

/** The maximum number of custom events that the page keeps. */
const mostEvents = 20_000;

export const emptyView = (): RunView => ({
  attempt: 1,
  steps: [],
  messages: new Map(),
  events: [],
  droppedEvents: 0,
  assignments: [],
  ledger: new Map(),
  scenario: noScenario(),
  questions: [],
  error: undefined,
  output: undefined,
});

/** Applies an event of the run's stream to the view. */
export function takeEvent(view: RunView, { event, data }: StreamEvent, now: number): void {
  const [mode, ...place] = event.split("|");
  if (!["metadata", "messages", "custom", "tasks", "error"].includes(mode ?? "")) return;
  const value: unknown = JSON.parse(data);
  if (mode === "messages") addPiece(view.messages, value, place.join("|"));
  else if (!isObject(value) && mode !== "custom") return;
  else if (mode === "metadata") beginAttempt(view, value as { attempt?: number });
  else if (mode === "custom") takeCustom(view, value, now);
  else if (mode === "tasks") takeTask(view, value as unknown as Task, place, now);
  else endAll(view, now, "failed", value as unknown as RunView["error"]);
}

/** Begins a new attempt. The attempt repeats the unfinished steps, so these steps and their messages are removed from the view. */
function beginAttempt(view: RunView, { attempt = 1 }: { attempt?: number }): void {
  if (attempt <= view.attempt) return;
  view.attempt = attempt;
  const unfinished = new Set(view.steps.filter(({ endedAt }) => endedAt === undefined).map(({ node, id }) => `${node}:${id}`));
  view.steps = view.steps.filter(({ endedAt }) => endedAt !== undefined);
  view.assignments = view.assignments.filter(({ endedAt }) => endedAt !== undefined);
  for (const [id, { place }] of view.messages) if (place.split("|").some((task) => unfinished.has(task))) view.messages.delete(id);
}

function takeCustom(view: RunView, data: unknown, at: number): void {
  if (view.events.length >= mostEvents) view.droppedEvents += view.events.splice(0, mostEvents / 10).length;
  view.events.push({ at, data });
  if (!takeScenarioEvent(view.scenario, data)) noteOutcome(view.assignments, data);
}

interface Task {
  id: string;
  name: string;
  input?: unknown;
  result?: unknown;
  error?: unknown;
  interrupts?: unknown[];
}

function takeTask(view: RunView, task: Task, place: string[], now: number): void {
  if ("input" in task) beginStep(view, task, place, now);
  else endStep(view, task, place, now);
}

function endStep(view: RunView, task: Task, place: string[], now: number): void {
  const isWaiting = (task.interrupts ?? []).length > 0;
  const outcome: Outcome = task.error ? "failed" : isWaiting ? "stopped" : "done";
  const step = view.steps.findLast(({ id }) => id === task.id);
  if (step) Object.assign(step, { endedAt: now, outcome, result: task.error ?? task.result });
  const assignment = view.assignments.findLast(({ id }) => id === task.id);
  if (assignment) assignment.endedAt = now;
  if (assignment?.outcome === "running") assignment.outcome = outcome;
  addEntries(view.ledger, entriesIn(task.result));
  if (isWaiting && place.length === 0) view.questions.push(...(task.interrupts ?? []));
}

function beginStep(view: RunView, { id, name: node, input }: Task, place: string[], startedAt: number): void {
  const begun = { startedAt, endedAt: undefined, outcome: "running" as const };
  view.steps.push({ id, node, place, result: undefined, ...begun });
  const assignment = assignmentIn(node, input);
  if (assignment) view.assignments.push({ id, ...begun, ...assignment });
}

/** Ends all open steps and assignments, at the end of the run. */
export function endAll(view: RunView, now: number, outcome: Outcome, error?: RunView["error"]): void {
  if (error) view.error = error;
  for (const one of [...view.steps, ...view.assignments])
    if (one.endedAt === undefined) Object.assign(one, { endedAt: now, outcome: outcome === "done" ? "stopped" : outcome });
}

/** Adds the result of the run to the view: the output, an error or questions. */
export function takeResult(view: RunView, result: unknown): void {
  if (!isObject(result)) {
    view.output = result;
    return;
  }
  const { __interrupt__: questions, __error__: error, ...output } = result;
  if (Array.isArray(questions)) view.questions = questions;
  if (isObject(error)) view.error ??= { error: String(error.error), message: String(error.message) };
  if (Object.keys(output).length > 0 || !(questions || error)) view.output = output;
  takeScenarioOutput(view.scenario, output);
  if (view.ledger.size === 0) addEntries(view.ledger, entriesIn(output));
}

type Span = Schemas["Timeline"]["attempts"][number]["spans"][number];

/**
 * Replaces the times of the steps with those of the run's timeline. The times from the stream are those at which the browser received the
 * events. After a lost connection, these times are too late. Steps are matched by node and order. If a node has a different number of steps
 * in the timeline, its steps keep their times.
 */
export function takeTimeline({ steps, assignments }: RunView, { attempts }: Schemas["Timeline"]): void {
  const spans = attempts.flatMap((attempt) => attempt.spans).filter(({ kind, outcome }) => kind === "node" && outcome !== "unfinished");
  const byName = Map.groupBy(
    spans.toSorted((one, other) => Date.parse(one.started_at) - Date.parse(other.started_at)),
    ({ name }) => name,
  );
  for (const [node, own] of Map.groupBy(steps, (step) => step.node)) {
    const found = byName.get(node) ?? [];
    if (found.length === own.length) for (const [index, step] of own.entries()) takeSpan(step, found[index]);
  }
  for (const assignment of assignments) {
    const step = steps.findLast(({ id }) => id === assignment.id);
    if (step) Object.assign(assignment, { startedAt: step.startedAt, endedAt: step.endedAt });
  }
}

function takeSpan(step: Step, span: Span | undefined): void {
  if (!span) return;
  Object.assign(step, { startedAt: Date.parse(span.started_at), endedAt: Date.parse(span.ended_at) });
  if (span.outcome === "error") Object.assign(step, { outcome: "failed", result: step.result ?? span.error });
}
