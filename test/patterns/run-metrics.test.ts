import { expect, test } from "vitest";
import { checkAlerts } from "../../graphs/agent/metrics/measured.ts";
import { type Facts, type LedgerEntry, metricsOf, readyAfter, type Span, spanAfter, type TaskFact } from "../../graphs/index.ts";

const start = Date.parse("2026-01-01T00:00:00.000Z");
const minute = 60_000;

/** Returns the entry of a call that began so many minutes after the start. */
const call = (agent: string, fromMinute: number, minutes: number, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...{ agent, task: "t", model: "m", at: new Date(start + fromMinute * minute).toISOString(), elapsedMs: minutes * minute },
  ...{ attempts: 1, outcome: "success", inputTokens: 100, outputTokens: 20, dollars: 0.5, ...more },
});
const at = (minutes: number) => start + minutes * minute;
const span = (readyAt: number, startedAt: number, endedAt: number, more: Partial<Span> = {}): Span => ({
  ...{ readyAt: at(readyAt), startedAt: at(startedAt), endedAt: at(endedAt), waitedMs: 0, ...more },
});
const task = (id: string, needs: string[], times: Span, more: Partial<TaskFact> = {}): TaskFact => ({
  ...{ id, needs, span: times, isDone: true, tries: 1, ...more },
});

test("a run of known shape has exactly the known figures", () => {
  const ledger = [
    call("a", 0, 10),
    call("b", 0, 5, { outcome: "failed", attempts: 3, error: "e" }),
    call("b", 6, 4),
    call("c", 12, 8, { waitedMs: 2 * minute }),
  ];
  const facts: Facts = {
    tasks: [
      task("one", [], span(0, 0, 10)),
      task("two", [], span(0, 0, 10, { failedAt: at(5) }), { tries: 2 }),
      task("three", ["one", "two"], span(10, 11, 20, { waitedMs: minute })),
    ],
    findings: 40,
    conflicts: 3,
    latenciesMs: [100, 300],
    deadlocks: 1,
  };
  expect(metricsOf(ledger, facts)).toEqual({
    ...{ agents: 3, calls: 4, wallMs: 20 * minute, pausedMs: 0 },
    utilisation: 0.45, // 10 + 9 + 8 minutes of 3 x 20
    waitMs: { mean: Math.round((2 * minute) / 3), max: 2 * minute },
    throughputPerHour: 9,
    criticalPathMs: 19 * minute,
    failureRate: 0.25,
    retries: 3,
    recoveryMs: { mean: 5 * minute, max: 5 * minute },
    conflictsPer100Findings: 7.5,
    messageLatencyMs: { mean: 200, max: 300 },
    ...{ contentions: 1, deadlocks: 1, stalled: false },
    byAgent: {
      a: { calls: 1, failures: 0, workedMs: 10 * minute, tokens: 120, dollars: 0.5 },
      b: { calls: 2, failures: 1, workedMs: 9 * minute, tokens: 240, dollars: 1 },
      c: { calls: 1, failures: 0, workedMs: 8 * minute, tokens: 120, dollars: 0.5 },
    },
  });
});

test("the pause of a person is in no figure, and a run that goes on counts nothing twice", () => {
  const resumedAt = at(70);
  const before = [call("a", 0, 10)];
  const after = [call("a", 71, 9, { resumedAt }), call("b", 70, 10, { resumedAt })];
  const metrics = metricsOf([...before, ...after], { tasks: [task("one", [], span(0, 0, 10)), task("two", ["one"], span(10, 70, 80))] });
  expect(metrics).toMatchObject({ calls: 3, pausedMs: 60 * minute, wallMs: 20 * minute, utilisation: 0.725, throughputPerHour: 6 });
  expect(metrics.waitMs).toEqual({ mean: 0, max: 0 });
  expect(metrics.byAgent.a).toMatchObject({ calls: 2, workedMs: 19 * minute });
});

test("several answers in a row are one pause after the last work, and an answer at the end is known from the execution", () => {
  const ledger = [call("a", 0, 10), call("a", 30, 10, { resumedAt: at(30) })];
  expect(metricsOf(ledger, {}, at(100))).toMatchObject({ pausedMs: 20 * minute, wallMs: 20 * minute });
  const both = [call("a", 0, 10), call("a", 40, 10, { resumedAt: at(40) })];
  const waiting = { tasks: [task("one", [], span(0, 0, 10, { resumedAt: at(25) }))] };
  expect(metricsOf(both, waiting)).toMatchObject({ pausedMs: 30 * minute, wallMs: 20 * minute });
});

test("a run without calls has no figure that would divide by nothing", () => {
  const nothing = { agents: 0, calls: 0, wallMs: 0, pausedMs: 0, retries: 0, contentions: 0, stalled: false, byAgent: {} };
  expect(metricsOf([])).toEqual(nothing);
  expect(metricsOf([], { findings: 0, conflicts: 0, latenciesMs: [], tasks: [] }, at(5))).toEqual({ ...nothing, criticalPathMs: 0 });
  const cached = call("a", -1_000, 1, { cached: true });
  expect(metricsOf([cached])).toEqual(nothing);
  expect(metricsOf([call("a", 0, 0)])).toMatchObject({ calls: 1, wallMs: 0, failureRate: 0 });
});

test("an agent that works on several things at once works for no longer than the run takes", () => {
  expect(metricsOf([call("a", 0, 10), call("a", 5, 10), call("a", 0, 15)]).utilisation).toBe(1);
});

test("without tasks, waits and recoveries are those of the calls", () => {
  const failure = { outcome: "timeout" as const };
  const ledger = [call("a", 0, 1, failure), call("a", 1, 1, failure), call("b", 1, 1), call("a", 5, 1, { waitedMs: 30_000 })];
  const metrics = metricsOf(ledger);
  expect(metrics.recoveryMs).toEqual({ mean: 5 * minute, max: 5 * minute });
  expect(metrics.waitMs).toEqual({ mean: 7_500, max: 30_000 });
  expect(metrics).toMatchObject({ contentions: 1, failureRate: 0.5, throughputPerHour: 20 });
});

test("the span of a task keeps when it was ready, when it first began and when it first failed", () => {
  const first = spanAfter(undefined, { readyAt: 1, startedAt: 2, endedAt: 5, waitedMs: 1, resumedAt: undefined, isFailure: true });
  const second = spanAfter(first, { readyAt: 7, startedAt: 8, endedAt: 9, waitedMs: 2, resumedAt: 7, isFailure: false });
  expect(second).toEqual({ readyAt: 1, startedAt: 2, endedAt: 9, failedAt: 5, waitedMs: 3, resumedAt: 7 });
  expect([readyAfter([first, undefined, second], 0), readyAfter([undefined], 3)]).toEqual([9, 3]);
});

test("thresholds are compared with the figures that there are", () => {
  const metrics = metricsOf([call("a", 0, 1), call("a", 9, 1, { outcome: "failed", stalled: "dead" })]);
  expect(checkAlerts(metrics, { failureRate: 0.5, utilisation: 0.5, waitMs: 1, stalledSeconds: 60 })).toEqual([
    { alert: "failureRate", value: 0.5, threshold: 0.5, isCrossed: false },
    { alert: "utilisation", value: 0.2, threshold: 0.5, isCrossed: true },
    { alert: "stalled", value: 1, threshold: 0, isCrossed: true },
  ]);
  expect(checkAlerts(metricsOf([]), { failureRate: 0, stalledSeconds: 60 })).toEqual([
    { alert: "stalled", value: 0, threshold: 0, isCrossed: false },
  ]);
});
