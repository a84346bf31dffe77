import { expect, test } from "vitest";
import { blackboard, withConfidence } from "../../graphs/index.ts";

test("in code, sources and the goal are functions, and a function says how sure it is", async () => {
  const graph = blackboard({
    sources: [
      { name: "thermometer", reads: ["task"], writes: ["celsius"], do: () => withConfidence({ celsius: 21 }, 0.9) },
      { name: "guess", reads: ["task"], writes: ["celsius"], do: () => withConfidence({ celsius: 30 }, 0.2) },
      {
        name: "converter",
        reads: ["celsius"],
        on: { key: "celsius", when: ({ payload }) => Number(payload) > 20 },
        writes: ["fahrenheit", "warm"],
        do: (input) => ({ fahrenheit: Object(input).board.celsius * 2 + 32, warm: true, other: 1 }),
      },
    ],
    goalMet: ({ board }) => Object(board).warm === true,
  });
  const { board, status, settlements, refused } = await graph.invoke({ task: "t" });
  expect({ board, status }).toEqual({ board: { task: "t", celsius: 21, fahrenheit: 74, warm: true }, status: "solved" });
  expect(settlements).toMatchObject([{ key: "celsius", winner: { by: "thermometer" }, losers: [{ by: "guess" }] }]);
  expect(refused).toEqual([{ source: "converter", key: "other" }]);
});

test("several changes since its last look wake a source once", async () => {
  const seen: unknown[] = [];
  const graph = blackboard({
    sources: [
      ...["a", "b", "c"].map((name) => ({ name, reads: ["task"], writes: [name], do: () => ({ [name]: 1 }) })),
      { name: "reader", reads: ["a", "b", "c"], writes: ["sum"], do: (input: unknown) => ({ sum: seen.push(Object(input).changed) }) },
    ],
  });
  await graph.invoke({ task: "t" });
  expect(seen).toEqual([["a", "b", "c"]]);
});

test("a board alone is an input", async () => {
  const graph = blackboard({
    sources: [{ name: "double", reads: ["n"], writes: ["m"], do: (input) => ({ m: Object(input).board.n * 2 }) }],
  });
  expect((await graph.invoke({ board: { n: 4 } })).board).toEqual({ n: 4, m: 8 });
});
