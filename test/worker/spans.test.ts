import { expect, test } from "vitest";
import { SpanRecorder } from "../../src/worker/spans.ts";

const attempt = { attempt: 1, worker: null, claimed: 1_000, outcome: "success" } as const;
const step = (spans: SpanRecorder, id: string) => {
  spans.noteTask({ id, name: "tick", namespace: [] });
  spans.noteTask({ id, name: "tick", namespace: [], end: { outcome: "success" } });
};

test("an attempt keeps 5,000 spans and counts the others", () => {
  const spans = new SpanRecorder();
  for (let n = 0; n < 5_200; n++) step(spans, `task-${n}`);
  spans.beginCall({ kind: "model", name: "m", namespace: "tick:task-9999" })({ outcome: "success" });
  const record = spans.close(attempt);
  expect(record.spans).toHaveLength(5_000);
  expect(record.dropped).toBe(201);
});

test("the new spans are given out once, and the record has all of them", () => {
  const spans = new SpanRecorder();
  step(spans, "a");
  expect(JSON.parse(spans.takeNew() ?? "").map((span: unknown[]) => span.slice(0, 4))).toEqual([[1, 0, "node", "tick"]]);
  expect(spans.takeNew()).toBeUndefined();
  step(spans, "b");
  expect(JSON.parse(spans.takeNew() ?? "")).toHaveLength(1);
  expect(spans.close(attempt).spans).toHaveLength(2);
});

test("a call inside a nested task is below it, and what is still open at the end is unfinished", () => {
  const spans = new SpanRecorder();
  spans.noteTask({ id: "outer", name: "agent", namespace: [] });
  spans.beginCall({ kind: "tool", name: "search", namespace: "agent:outer|1|tools:inner" });
  const ended = (spans.close(attempt).spans ?? []).map(([number, parent, kind, name, , , outcome]) => [
    number,
    parent,
    kind,
    name,
    outcome,
  ]);
  expect(ended).toEqual([
    [1, 0, "node", "agent", "unfinished"],
    [2, 1, "node", "tools", "unfinished"],
    [3, 2, "tool", "search", "unfinished"],
  ]);
});

test("a task that the stream reported as finished has failed if its graph says so", () => {
  const spans = new SpanRecorder();
  step(spans, "a");
  spans.noteFailure("a", new TypeError("broken"));
  expect(spans.close(attempt).spans?.[0]?.slice(6)).toEqual(["error", 0, 0, "TypeError: broken"]);
});
