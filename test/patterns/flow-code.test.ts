import { expect, test } from "vitest";
import { z } from "zod";
import { and, flow, or } from "../../graphs/index.ts";

test("in code, steps are functions whose input has the type of what they wait for, and their results change the state", async () => {
  const graph = flow({ state: z.object({ score: z.number().default(0), tries: z.number().default(0) }) })
    .start("generate", (_, { state }) => ({ tries: state.tries + 1 }))
    .listen("again", "retry", ({ tries }: { tries: number }) => ({ tries: tries + 1 }))
    .listen("rate", or("generate", "again"), ({ tries }) => ({ tries, score: tries * 40 }), { each: true })
    .router("route", "rate", ({ score }) => (score > 100 ? "success" : "retry"))
    .listen("finish", "success", ({ score }, { state }) => `${score} after ${state.tries}`)
    .compile();
  const { output, state, path, status } = await graph.invoke({ task: "t" });
  expect({ output, state, status }).toEqual({ output: "120 after 3", state: { score: 120, tries: 3 }, status: "completed" });
  expect(path).toEqual(["generate", "rate", "retry", "again", "rate", "retry", "again", "rate", "success", "finish"]);
});

test("`and` gives all outputs by their names", async () => {
  const graph = flow()
    .start("a", () => 1)
    .start("b", () => 2)
    .listen("sum", and("a", "b"), ({ a, b }) => a + b)
    .compile();
  const { output, path } = await graph.invoke({ task: "t" });
  expect({ output, path }).toEqual({ output: 3, path: ["a", "b", "sum"] });
});

test("`and` fires once for each time that all of its parts have come", async () => {
  const sums: number[] = [];
  const graph = flow()
    .start("seed", () => 1)
    .listen("left", or("seed", "again"), () => 2, { each: true })
    .listen("right", or("seed", "again"), () => 3, { each: true })
    .listen("sum", and("left", "right"), ({ left, right }: { left: number; right: number }) => sums.push(left + right))
    .router("route", "sum", () => (sums.length < 3 ? "again" : "stop"))
    .listen("finish", "stop", () => sums.length)
    .compile();
  const { output, path } = await graph.invoke({ task: "t" });
  expect({ output, sums }).toEqual({ output: 3, sums: [5, 5, 5] });
  expect(path.filter((type) => type === "sum")).toHaveLength(3);
});

test("several starts run side by side", async () => {
  const events: string[] = [];
  const slow = (name: string) => async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    while (events.length < 2) await new Promise((resolve) => setImmediate(resolve));
    events.push(`${name} ends`);
  };
  await flow({ limits: { stageMs: 0 } })
    .start("a", slow("a"))
    .start("b", slow("b"))
    .compile()
    .invoke({ task: "t" });
  expect(events.slice(0, 2).toSorted()).toEqual(["a begins", "b begins"]);
});

test("a result that the schema of the state refuses fails the step", async () => {
  const graph = flow({ state: z.object({ count: z.number().default(0) }), onFailures: "partial" })
    .start("wrong", () => ({ count: "three" }), { retries: 0 })
    .compile();
  const { status, errors, state } = await graph.invoke({ task: "t" });
  expect({ status, state }).toEqual({ status: "failed", state: { count: 0 } });
  expect(errors.wrong).toContain("count");
});

test("a step that listens for nothing that exists is refused where the code compiles the flow", () => {
  const wrong = flow()
    .start("a", () => 1)
    .listen("b", "c", () => 2);
  expect(() => wrong.compile()).toThrow('flow: steps.1.on: no step and no label is called "c"');
});
