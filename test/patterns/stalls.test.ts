import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type StallState, type WatchedCall, watchForStalls } from "../../graphs/agent/metrics/stalls.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const start = () => {
  const events: object[] = [];
  const stalled: [string, StallState][] = [];
  const watch = watchForStalls((event) => events.push(event as object));
  const open = (agent: string, stalledSeconds = 60): WatchedCall => {
    const onStall = (state: StallState) => stalled.push([agent, state]);
    const call: WatchedCall = { agent, pattern: "p", stalledSeconds, openedAt: performance.now(), onStall };
    watch.opened(call);
    return call;
  };
  return { watch, open, events, stalled };
};
const pass = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

test("the first call has the floor as its time, and a call without a sign is dead", () => {
  const { open, events, stalled, watch } = start();
  const call = open("a");
  pass(59);
  expect(events).toEqual([]);
  pass(1);
  expect(events).toEqual([{ type: "stalled", pattern: "p", agent: "a", state: "dead", expectedMs: 30_000, elapsedMs: 60_000 }]);
  expect([stalled, call.stalled]).toEqual([[["a", "dead"]], "dead"]);
  watch.closed(call);
  open("a");
  pass(1_000);
  expect(events).toHaveLength(1);
});

test("a call that still gets tokens is slow, unless its last token was long ago", () => {
  const slow = start();
  const call = slow.open("a");
  pass(50);
  call.signAt = performance.now();
  pass(10);
  expect(slow.stalled).toEqual([["a", "slow"]]);
  const dead = start();
  dead.open("b").signAt = performance.now();
  pass(60);
  expect(dead.stalled).toEqual([["b", "dead"]]);
});

test("the time is twice the median of the ended calls, and begins again with each end", () => {
  const { open, watch, events } = start();
  for (const seconds of [10, 100, 50]) {
    const call = open("a", 1_000);
    pass(seconds);
    watch.closed(call);
  }
  const [first, second] = [open("a", 1), open("b", 1)];
  pass(99);
  watch.closed(second);
  pass(150); // the median is now 99 s
  expect(events).toEqual([]);
  pass(48);
  expect(events).toMatchObject([{ agent: "a" }]);
  watch.closed(first);
});

test("there is no timer while no call is open", () => {
  const { open, watch, events } = start();
  const call = open("a");
  watch.closed(call);
  watch.closed(call);
  expect(vi.getTimerCount()).toBe(0);
  pass(1_000);
  expect(events).toEqual([]);
});
