import { Annotation, END, START, StateGraph } from "@langchain/langgraph";

const State = Annotation.Root({ kind: Annotation<string>(), before: Annotation<string>(), value: Annotation<unknown>() });

function circle() {
  const round: Record<string, unknown> = { name: "circle" };
  round.self = { again: round };
  return round;
}

const values: Record<string, () => unknown> = {
  bigint: () => ({ deep: [1, { total: 12n }] }),
  function: () => ({ callback: () => 1 }),
  symbol: () => [Symbol("s")],
  cycle: circle,
  buffer: () => ({ bytes: Buffer.from("x") }),
  bad: () => "poison",
  floats: () => ({ vector: new Float32Array([1, 2]) }),
  fine: () => ({
    date: new Date(0),
    nan: Number.NaN,
    bytes: new Uint8Array([1, 2]),
    map: new Map([["a", 1]]),
    nul: "a\u0000b",
    lone: "\ud800",
    missing: undefined,
  }),
};

/** A graph that writes the kind of value that its input names, storable or not. */
export const graph = new StateGraph(State)
  .addNode("prepare", () => ({ before: "prepared" }))
  .addNode("produce", ({ kind }) => ({ value: values[kind]?.() }))
  .addEdge(START, "prepare")
  .addEdge("prepare", "produce")
  .addEdge("produce", END)
  .compile();
