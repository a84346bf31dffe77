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

test("`and` gives all outputs by their names, and begins anew after it fired", async () => {
  const graph = flow()
    .start("a", () => 1)
    .start("b", () => 2)
    .listen("sum", and("a", "b"), ({ a, b }) => a + b)
    .compile();
  const { output, path } = await graph.invoke({ task: "t" });
  expect({ output, path }).toEqual({ output: 3, path: ["a", "b", "sum"] });
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
