import { isObject } from "../../../parts/json-schema.ts";

export interface Milestone {
  percent: number;
  /** Milliseconds since the start of the run. */
  atMs: number;
}

/** The progress of one scenario, from the events of the graph `scenario` or from its output. */
export interface Level {
  name: string;
  difficulty: string;
  status: string;
  reason: string;
  percent: number;
  items: number;
  failedItems: number;
  totalItems: number;
  elapsedMs: number;
  quality: number | null;
  milestones: Milestone[];
  /** The quality after each batch, with the scenario's progress in percent. */
  trend: { percent: number; quality: number }[];
  warnings: string[];
  /** The scenario's own run. Undefined if the scenario is a part of the orchestrator's run. */
  run: { threadId: string; runId: string } | undefined;
}

/** A point of progress at which the scenarios waited for each other. */
export interface Meeting {
  percent: number;
  atMs: number;
}

export interface ScenarioView {
  skill: string;
  mode: string;
  levels: Map<string, Level>;
  meetings: Meeting[];
  /** The report with the comparison. Undefined until the end of the run. */
  report: unknown;
}

export const noScenario = (): ScenarioView => ({ skill: "", mode: "", levels: new Map(), meetings: [], report: undefined });

type Fields = Record<string, unknown>;
const numberIn = (value: unknown, otherwise = 0) => (typeof value === "number" ? value : otherwise);
const textIn = (value: unknown) => (typeof value === "string" ? value : "");
const listIn = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);

export function levelOf(view: ScenarioView, name: string): Level {
  const known = view.levels.get(name);
  if (known) return known;
  const numbers = { percent: 0, items: 0, failedItems: 0, totalItems: 0, elapsedMs: 0, quality: null };
  const lists = { milestones: [], trend: [], warnings: [], run: undefined };
  const level: Level = { name, difficulty: "", status: "pending", reason: "", ...numbers, ...lists };
  view.levels.set(name, level);
  return level;
}

/** Applies an event of the graph `scenario` to the view. Returns false if the event is of another kind. */
export function takeScenarioEvent(view: ScenarioView, event: unknown): boolean {
  if (!isObject(event) || event.pattern !== "scenario") return false;
  if (event.type === "plan") takePlan(view, event);
  else if (event.type === "sync") view.meetings.push({ percent: numberIn(event.milestone), atMs: numberIn(event.elapsedMs) });
  else if (typeof event.scenario === "string") takeLevel(levelOf(view, event.scenario), event);
  return true;
}

function takePlan(view: ScenarioView, event: Fields): void {
  const planned = listIn(event.scenarios);
  Object.assign(view, { skill: textIn(event.skill), mode: textIn(event.mode), meetings: [], levels: new Map() });
  for (const { name, difficulty, items } of planned)
    Object.assign(levelOf(view, String(name)), { difficulty: textIn(difficulty), totalItems: numberIn(items) });
}

function takeLevel(level: Level, event: Fields): void {
  const atMs = numberIn(event.elapsedMs);
  if (event.type === "batch") takeBatch(level, event, atMs);
  else if (event.type === "milestone") level.milestones.push({ percent: numberIn(event.percent), atMs });
  else if (event.type === "state") Object.assign(level, { status: textIn(event.to), reason: textIn(event.reason) });
  else if (event.type === "warning") level.warnings.push(textIn(event.warning));
  else if (event.type === "apart") level.run = { threadId: textIn(event.threadId), runId: textIn(event.runId) };
}

function takeBatch(level: Level, event: Fields, elapsedMs: number): void {
  const percent = numberIn(event.percent);
  if (level.status !== "complete" && level.status !== "failed") level.status = textIn(event.status) || level.status;
  Object.assign(level, { percent, elapsedMs, items: numberIn(event.items), totalItems: numberIn(event.totalItems, level.totalItems) });
  if (typeof event.quality !== "number") return;
  level.quality = event.quality;
  level.trend.push({ percent, quality: event.quality });
}

/** Completes the view from the output of the run. Scenarios with runs of their own send no events, so their data is only in the output. */
export function takeScenarioOutput(view: ScenarioView, output: unknown): void {
  if (!isObject(output)) return;
  if (isObject(output.report)) view.report = output.report;
  for (const [name, progress] of Object.entries(isObject(output.progress) ? output.progress : {})) {
    if (!isObject(progress) || !isObject(output.report)) continue;
    const level = levelOf(view, name);
    const { status, reason, percent, items, failedItems, totalItems, quality } = progress;
    Object.assign(level, { status, reason, percent, items, failedItems, totalItems, quality });
    if (level.elapsedMs === 0) level.elapsedMs = numberIn(progress.elapsedMs);
    const reached = listIn(progress.milestones).map((one) => ({ percent: numberIn(one.percent), atMs: numberIn(one.atMs) }));
    if (level.milestones.length === 0) level.milestones = reached;
  }
}
