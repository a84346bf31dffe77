import { expect, test } from "vitest";
import { choreography, emit } from "../../graphs/index.ts";

interface Order {
  total: number;
}

test("in code, listeners and conditions are functions, and a function may publish several events", async () => {
  const billed: unknown[] = [];
  const graph = choreography({
    listeners: [
      { name: "split", on: "START", do: () => [emit("ITEM", { total: 5 }), emit("ITEM", { total: 50 })], emits: ["ITEM", "NOTHING"] },
      {
        name: "bill",
        on: { event: "ITEM", when: ({ payload }) => (payload as Order).total > 10 },
        do: (event) => void billed.push(event),
      },
    ],
  });
  const { events, status } = await graph.invoke({ task: "order" });
  expect(events.map(({ type, payload }) => [type, payload])).toEqual([
    ["START", "order"],
    ["ITEM", { total: 5 }],
    ["ITEM", { total: 50 }],
    ["bill", null],
  ]);
  expect(status).toBe("quiescent");
  expect(billed).toMatchObject([{ type: "ITEM", from: "split", payload: { total: 50 } }]);
});

test("a function that names an event of another listener has failed", async () => {
  const graph = choreography({
    listeners: [{ name: "a", on: "START", do: () => emit("OTHER"), emits: ["ONE", "TWO"], retries: 0 }],
  });
  const { events, errors } = await graph.invoke({ task: "t" });
  expect(events.map(({ type }) => type)).toEqual(["START", "FAILED:a"]);
  expect(errors).toEqual({ a: 'The result of "a" names the event "OTHER"; it may be ONE, TWO.' });
});

test("a run ends at a condition in code", async () => {
  const graph = choreography({
    listeners: [{ name: "tick", on: { or: ["START", "tick"] }, do: () => "tock", maxFires: 100 }],
    until: ({ events }) => Object(events).tick?.count >= 3,
  });
  const { events, status } = await graph.invoke({ task: "t" });
  expect({ status, ticks: events.length - 1 }).toEqual({ status: "until", ticks: 3 });
});

test("a hundred events in a chain and a hundred side by side are each heard once", async () => {
  const heard: number[] = [];
  const graph = choreography({
    listeners: [
      { name: "burst", on: "START", do: () => Array.from({ length: 100 }, (_, n) => emit("N", n)), emits: ["N"] },
      { name: "hear", on: "N", do: (event) => void heard.push(Object(event).payload), maxFires: 1_000 },
    ],
    maxEvents: 500,
    limits: { stageMs: 0 },
  });
  const { events } = await graph.invoke({ task: "t" });
  expect(heard.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 201 }, (_, n) => n + 1));
});

test("wrong options are refused where the code sets them", () => {
  expect(() => choreography({ listeners: [{ name: "a", on: "START", do: { tool: "nothing" } }] })).toThrow("nothing");
  expect(() => choreography({ listeners: [], maxDepth: 0 })).toThrow();
});
