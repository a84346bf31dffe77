import { type Budget, priceOf } from "ensemble/patterns";
import type { Facts } from "./facts.ts";

/** The body of a request that starts the chosen pattern. */
export interface Payload {
  assistant_id: string;
  input: Record<string, unknown>;
  context?: Record<string, unknown>;
}

/** Returns the body of `POST /runs` that starts the pattern with the task. */
export function payloadFor(pattern: string, task: string, { speed, humanInTheLoop }: Facts): Payload {
  const input = { messages: [{ role: "user", content: task }] }; // all patterns accept this input
  const plain = { assistant_id: pattern, input };
  if (pattern === "fan-out" && speed === "critical") return { ...plain, context: { limits: { parallel: 10 } } };
  if (pattern === "react" && humanInTheLoop) return { ...plain, context: { tools: ["calculate", "now", "ask_human"] } };
  if (pattern === "pipeline" && humanInTheLoop) return { ...plain, input: { ...input, stages: approved } };
  return plain;
}

const approved = [
  { name: "draft", do: { task: "Write a first draft." } },
  {
    name: "approve",
    do: { ask: "Is the draft good? Say what to change.", options: ["It is good", "Shorten it", "Write it anew"] },
    takes: ["draft"],
  },
  { name: "finish", do: { task: "Write the final text from the draft and the person's answer." }, takes: ["draft", "approve"] },
];

/** The assumed number of tokens of one model call. The ledger of a run has the real numbers. */
const perCall = { input: 1_500, output: 500 };
const usualAgents = 3;
const fanIn = 8;

/**
 * Returns the expected number of model calls of a pattern with its default agents, and their cost. The cost is null if the model has no
 * price.
 */
export function estimateOf(pattern: string, { agents, items }: Facts, { model, budget }: { model: string; budget: Budget }) {
  const calls = callsOf(pattern, agents || usualAgents, Number(items ?? 0));
  const [input, output] = [calls * perCall.input, calls * perCall.output];
  const price = priceOf(model, model, budget);
  return { calls, tokens: input + output, dollars: price ? (input * price.input + output * price.output) / 1_000_000 : null };
}

function callsOf(pattern: string, agents: number, items: number): number {
  const partitions = Math.min(fanIn, Math.max(1, items));
  const known: Record<string, number> = {
    react: 3,
    reflect: 4,
    swarm: 2,
    scenario: 0,
    "state-machine": 1,
    pipeline: agents,
    saga: agents,
    crew: agents,
    "fan-out": agents + 1,
    panel: agents + 1,
    debate: 2 * agents + 1,
    "map-reduce": partitions + 1,
    choreography: agents + 1,
    supervisor: agents + 3,
    mesh: 3 * 2 * agents,
    hierarchy: 2 + agents * (usualAgents + 3),
  };
  return known[pattern] ?? agents;
}
