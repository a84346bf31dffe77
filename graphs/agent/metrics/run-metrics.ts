import { z } from "zod";
import { type LedgerEntry, spentIn } from "../ledger.ts";
import { firstOf, lastOf, type Period, pausesIn, sharedBy, totalOf } from "./periods.ts";
import type { Span } from "./span.ts";

const MeanAndMax = z.object({ mean: z.number().describe("Mean"), max: z.number().describe("Longest") });

const AgentMetrics = z.object({
  calls: z.number().int().describe("Calls of the agent"),
  failures: z.number().int().describe("Calls that failed or took too long"),
  workedMs: z.number().describe("Milliseconds in which at least one call of the agent was open"),
  tokens: z.number().int().describe("Input and output tokens"),
  dollars: z.number().describe("Cost by the price table"),
});

export const Metrics = z.object({
  agents: z.number().int().describe("Number of agents that were called"),
  calls: z.number().int().describe("Number of calls of agents. Results from the cache do not count."),
  wallMs: z.number().describe("Milliseconds from the first start to the last end of work, without the pauses for a person"),
  pausedMs: z.number().describe("Milliseconds in which the run waited for a person"),
  utilisation: z.number().optional().describe("Time in which agents worked, divided by the number of agents times `wallMs`"),
  waitMs: MeanAndMax.optional().describe("Milliseconds from the time a task was ready, or a call was made, to its start"),
  throughputPerHour: z.number().optional().describe("Completed tasks in an hour of `wallMs`. In a pattern without tasks: successful calls"),
  criticalPathMs: z.number().optional().describe("Duration of the longest chain of work that needs each other"),
  failureRate: z.number().optional().describe("Share of the calls that failed or took too long"),
  retries: z.number().int().describe("Requests and tries after the first one"),
  recoveryMs: MeanAndMax.optional().describe("Milliseconds from the first failure of a task or an agent to its next success"),
  conflictsPer100Findings: z.number().optional().describe("Contradictions in 100 findings"),
  messageLatencyMs: MeanAndMax.optional().describe("Milliseconds from sending a message to its acknowledgement"),
  contentions: z.number().int().describe("Tasks and calls that had to wait for a resource"),
  deadlocks: z.number().int().optional().describe("How often agents waited for each other"),
  stalled: z.boolean().describe("Whether calls were open and none ended for twice the usual time"),
  byAgent: z.record(z.string(), AgentMetrics).describe("Figures of each agent"),
});
export type Metrics = z.infer<typeof Metrics>;

/** One task of a run, with the data from which the metrics of the run are computed. */
export interface TaskFact {
  id: string;
  /** The ids of the tasks that this task needs. */
  needs: string[];
  span: Span;
  isDone: boolean;
  tries: number;
}

/** The facts that a pattern knows about a run in addition to its ledger. */
export interface Facts {
  tasks?: TaskFact[];
  /** The pieces of work of a pattern without `tasks`. Only the metric `criticalPathMs` is computed from them. */
  pieces?: Piece[];
  findings?: number;
  conflicts?: number;
  /** For each message, the milliseconds from its sending to its acknowledgement. */
  latenciesMs?: number[];
  deadlocks?: number;
}

/** A piece of work whose only known times are its start and its end. `needs` are the pieces that had to end before it. */
export interface Piece {
  id: string;
  needs: string[];
  span: Pick<Span, "startedAt" | "endedAt">;
}

interface Call extends Period {
  entry: LedgerEntry;
}

/**
 * Returns the metrics of a run, computed from the ledger and the facts of the pattern. A metric is left out if the facts for it are
 * missing, because nothing is estimated. `resumedAt` is the time at which a person's answer continued the run, if there was an answer.
 */
export function metricsOf(ledger: LedgerEntry[], facts: Facts = {}, resumedAt?: number): Metrics {
  const calls = ledger.filter(({ cached }) => !cached).map(callOf);
  const tasks = facts.tasks ?? [];
  const pieces = facts.pieces ?? facts.tasks;
  const worked = [...calls, ...tasks.map(({ span }) => ({ from: span.startedAt, to: span.endedAt }))];
  const resumes = [...ledger.map((entry) => entry.resumedAt), ...tasks.map(({ span }) => span.resumedAt), resumedAt];
  const pauses = pausesIn(
    worked,
    resumes.filter((time) => time !== undefined),
  );
  const whole = { from: firstOf(worked), to: lastOf(worked) };
  const pausedMs = sharedBy(whole, pauses);
  const wallMs = Math.max(0, whole.to - whole.from - pausedMs);
  const byAgent = ofAgents(calls);
  const agents = Object.keys(byAgent).length;
  const workedMs = Object.values(byAgent).reduce((sum, agent) => sum + agent.workedMs, 0);
  const failures = calls.filter(isFailure).length;
  const done = facts.tasks ? tasks.filter(({ isDone }) => isDone).length : calls.length - failures;
  return {
    ...{ agents, calls: calls.length, wallMs, pausedMs },
    ...given("utilisation", ratio(workedMs, agents * wallMs)),
    ...given("waitMs", meanAndMax(waitsIn(calls, facts.tasks, pauses))),
    ...given("throughputPerHour", ratio(done * hourMs, wallMs)),
    ...given("criticalPathMs", pieces && longestChain(pieces)),
    ...given("failureRate", ratio(failures, calls.length)),
    retries:
      calls.reduce((sum, { entry }) => sum + Math.max(0, entry.attempts - 1), 0) +
      tasks.reduce((sum, { tries }) => sum + Math.max(0, tries - 1), 0),
    ...given("recoveryMs", meanAndMax(recoveriesIn(calls, facts.tasks))),
    ...given("conflictsPer100Findings", facts.conflicts === undefined ? undefined : ratio(100 * facts.conflicts, facts.findings ?? 0)),
    ...given("messageLatencyMs", meanAndMax(facts.latenciesMs ?? [])),
    contentions: facts.tasks ? tasks.filter(({ span }) => span.waitedMs > 0).length : calls.filter(({ entry }) => entry.waitedMs).length,
    ...given("deadlocks", facts.deadlocks),
    stalled: calls.some(({ entry }) => entry.stalled !== undefined),
    byAgent,
  };
}

const hourMs = 3_600_000;

const callOf = (entry: LedgerEntry): Call => {
  const from = Date.parse(entry.at);
  return { entry, from, to: from + entry.elapsedMs };
};

const isFailure = ({ entry: { outcome } }: Call) => outcome === "failed" || outcome === "timeout";

/** Returns the quotient with four decimals, or undefined if `whole` is 0. */
const ratio = (part: number, whole: number): number | undefined => (whole > 0 ? Math.round((part / whole) * 10_000) / 10_000 : undefined);

function meanAndMax(values: number[]): z.infer<typeof MeanAndMax> | undefined {
  if (values.length === 0) return undefined;
  return { mean: Math.round(values.reduce((sum, value) => sum + value, 0) / values.length), max: Math.max(...values) };
}

/** Returns an object with one field, or an empty object if the value is undefined. */
const given = <Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> =>
  value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);

function ofAgents(calls: Call[]): Metrics["byAgent"] {
  const groups = Map.groupBy(calls, ({ entry }) => entry.agent);
  return Object.fromEntries(
    [...groups].map(([agent, own]) => [
      agent,
      {
        ...{ calls: own.length, failures: own.filter(isFailure).length, workedMs: totalOf(own) },
        ...spentIn(own.map(({ entry }) => entry)),
      },
    ]),
  );
}

/** Returns how long each task waited. In a pattern without tasks, returns how long each call waited, or an empty list if no call waited. */
function waitsIn(calls: Call[], tasks: TaskFact[] | undefined, pauses: Period[]): number[] {
  if (!tasks) return calls.some(({ entry }) => entry.waitedMs) ? calls.map(({ entry }) => entry.waitedMs ?? 0) : [];
  return tasks.map(({ span: { readyAt, startedAt, waitedMs } }) => {
    const paused = sharedBy({ from: readyAt, to: startedAt }, pauses);
    return Math.max(0, startedAt - readyAt - paused) + waitedMs;
  });
}

/**
 * Returns how long each task needed from its first failure to its success. In a pattern without tasks, returns the time from the first
 * failure of an agent to the agent's next success.
 */
function recoveriesIn(calls: Call[], tasks: TaskFact[] | undefined): number[] {
  if (tasks) {
    return tasks.flatMap(({ span: { failedAt, endedAt }, isDone }) => (isDone && failedAt !== undefined ? [endedAt - failedAt] : []));
  }
  return [...Map.groupBy(calls, ({ entry }) => entry.agent).values()].flatMap((own) => {
    const recoveries: number[] = [];
    let failedAt: number | undefined;
    for (const call of own.toSorted((one, other) => one.to - other.to)) {
      if (isFailure(call)) failedAt ??= call.to;
      else if (failedAt !== undefined) {
        recoveries.push(call.to - failedAt);
        failedAt = undefined;
      }
    }
    return recoveries;
  });
}

/** Returns the duration of the longest chain of tasks. The duration of a task is the time from its first start to its end. */
function longestChain(tasks: Piece[]): number {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const known = new Map<string, number>();
  const lengthOf = (id: string): number => {
    const task = byId.get(id);
    if (!task) return 0;
    const found = known.get(id);
    if (found !== undefined) return found;
    known.set(id, 0); // ends the recursion if tasks need each other in a cycle
    const length = task.span.endedAt - task.span.startedAt + Math.max(0, ...task.needs.map(lengthOf));
    known.set(id, length);
    return length;
  };
  return Math.max(0, ...tasks.map(({ id }) => lengthOf(id)));
}
