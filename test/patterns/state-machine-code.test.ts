import { MemorySaver } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { stateMachine } from "../../graphs/index.ts";

const done: string[] = [];
const action = (name: string) => () => {
  done.push(name);
  return { done: name };
};
const states = { CREATED: {}, VALIDATING: {}, VALIDATED: {}, PROCESSING: {}, COMPLETED: { final: true }, FAILED: { final: true } };

test("in code, guards and actions are functions: guard, then action, then state", async () => {
  const graph = stateMachine({
    initial: "CREATED",
    states,
    transitions: [
      { from: "CREATED", event: "validate", to: "VALIDATING", action: action("validate_order") },
      {
        from: "VALIDATING",
        event: "mark",
        to: "VALIDATED",
        guard: ({ facts }) => Object(facts).total > 0,
        action: (input) => ({ ...Object(input), at: done.push("mark_validated") }),
      },
      { from: "VALIDATED", event: "process", to: "PROCESSING", action: action("process_order"), saveAs: "processed" },
      { from: "PROCESSING", event: "complete", to: "COMPLETED", action: action("complete_order") },
      { from: "VALIDATING", event: "fail", to: "FAILED", action: action("handle_validation_failure") },
    ],
  });
  const compiled = Object.assign(graph, { checkpointer: new MemorySaver() });
  const send = (event: string, data = {}) => compiled.invoke({ event, data }, { configurable: { thread_id: "one" } });
  await send("validate");
  await expect(send("mark", { total: 0 })).rejects.toMatchObject({
    name: "GuardFailed",
    message: "VALIDATING → VALIDATED by mark: a function of the code says no",
  });
  const marked = await send("mark", { total: 5 });
  expect(marked.output).toMatchObject({ from: "VALIDATING", event: "mark", to: "VALIDATED", facts: { total: 5 } });
  await send("process");
  const { state, facts, output } = await send("complete");
  expect({ state, facts, output }).toEqual({
    state: "COMPLETED",
    facts: { total: 5, processed: { done: "process_order" } },
    output: { done: "complete_order" },
  });
  expect(done).toEqual(["validate_order", "mark_validated", "process_order", "complete_order"]);
  await expect(send("validate")).rejects.toMatchObject({ name: "InvalidTransition" });
});

test("an action that throws leaves the state", async () => {
  const graph = stateMachine({
    initial: "CREATED",
    states: { CREATED: {}, COMPLETED: { final: true } },
    transitions: [
      {
        from: "CREATED",
        event: "complete",
        to: "COMPLETED",
        retries: 0,
        action: () => {
          throw new Error("out of stock");
        },
      },
    ],
  });
  const { state, status, error } = await graph.invoke({ event: "complete" });
  expect({ state, status, error }).toEqual({ state: "CREATED", status: "failed", error: "out of stock" });
});

test("wrong options are refused where the code sets them", () => {
  expect(() => stateMachine({ initial: "a", states: { b: {} }, transitions: [{ from: "b", to: "b" }] })).toThrow(
    'state-machine: initial: there is no state "a"; there are b',
  );
  expect(() => stateMachine({ initial: "a" })).toThrow("a machine has initial, states and transitions");
  expect(() => stateMachine({ maxSteps: 0 })).toThrow();
});

test("the drawing has each state, event and time limit, and marks where the machine is", async () => {
  const graph = stateMachine({
    initial: "open",
    states: { open: { timeoutSeconds: 5, onTimeout: "closed" }, closed: { final: true } },
    transitions: [{ from: "open", event: "close", to: "closed", guard: { path: "facts.ok", is: true } }],
  });
  const compiled = Object.assign(graph, { checkpointer: new MemorySaver() });
  const { diagram } = await compiled.invoke({ restart: true }, { configurable: { thread_id: "two" } });
  expect(diagram.split("\n")).toEqual([
    "stateDiagram-v2",
    '  state "open" as s0',
    '  state "closed" as s1',
    "  [*] --> s0",
    "  s0 --> s1 : close [guard]",
    "  s0 --> s1 : after 5 s",
    "  s1 --> [*]",
    "  classDef current font-weight:bold",
    "  class s0 current",
  ]);
});
