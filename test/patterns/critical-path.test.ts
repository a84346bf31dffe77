import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MemorySaver } from "@langchain/langgraph";
import { expect, test } from "vitest";
import { bus, type LedgerEntry, type Metrics, type Span } from "../../graphs/index.ts";
import { startTestService } from "../service.ts";

const shipped = fileURLToPath(new URL("../../langgraph.json", import.meta.url));
const { client } = await startTestService({ ENSEMBLE_CONFIG: shipped });

interface Times {
  startedAt: number;
  endedAt: number;
}
interface State {
  metrics: Metrics;
  ledger: LedgerEntry[];
  spans: Record<string, Span>;
  objectives: { id: string; dependsOn: string[] }[];
  times: (Times & { task: string; round: number; part: string; agent: string })[];
}
/** Executes a run with the rehearsal model, and returns the state after it. */
async function stateAfter(graph: string, input: object, context: object = {}): Promise<State> {
  const { thread_id } = await client.threads.create();
  await client.runs.wait(thread_id, graph, { input, context } as object);
  return (await client.threads.getState(thread_id)).values as unknown as State;
}
const lasted = ({ startedAt, endedAt }: Times) => endedAt - startedAt;
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

test.each([
  ["group-chat", { task: "t" }, { termination: { maxMessages: 3 } }, 3],
  ["swarm", { messages: [{ role: "user", content: "How do I reset my password?" }] }, {}, 1],
])("the longest chain of %s is all of its calls", async (graph, input, context, calls) => {
  const { metrics, ledger } = await stateAfter(graph, input, context);
  expect(ledger.length).toBeGreaterThanOrEqual(calls);
  expect(metrics.criticalPathMs).toBe(sum(ledger.map(({ elapsedMs }) => elapsedMs)));
});

test("the longest chain of a team follows the tasks that block each other", async () => {
  const task = (id: string, ...blockedBy: string[]) => ({ id, subject: id, blockedBy });
  const input = { task: "t", tasks: [task("a"), task("b", "a"), task("c", "b"), task("d", "a")] };
  const { metrics, times } = await stateAfter("team", input, { topology: "star" });
  expect(times).toHaveLength(4);
  const of = (id: string) => sum(times.filter((one) => one.task === id).map(lasted));
  expect(metrics.criticalPathMs).toBe(of("a") + Math.max(of("b") + of("c"), of("d")));
});

test("the longest chain of a mesh has the longest work of each part of each round", async () => {
  const { metrics, times } = await stateAfter("mesh", { task: "t" }, { maxRounds: 2 });
  const parts = Map.groupBy(times, ({ round, part }) => `${round} ${part}`);
  expect(parts.size).toBeGreaterThan(1);
  expect(metrics.criticalPathMs).toBe(sum([...parts.values()].map((part) => Math.max(...part.map(lasted)))));
});

test("the longest chain of a hierarchy follows the objectives that need each other", async () => {
  const { metrics, objectives, spans } = await stateAfter("hierarchy", { mission: "t" });
  const lengthOf = (id: string): number => {
    const needed = objectives.find((one) => one.id === id)?.dependsOn ?? [];
    return lasted(spans[id] as Span) + Math.max(0, ...needed.map(lengthOf));
  };
  expect(objectives.length).toBeGreaterThan(0);
  expect(metrics.criticalPathMs).toBe(Math.max(...objectives.map(({ id }) => lengthOf(id))));
});

test("the longest chain of a bus follows the messages from turn to turn", async () => {
  const handOn = (name: string, ms: number, ...receivers: string[]) => ({
    name,
    turn: async () => {
      await sleep(ms);
      return { send: receivers.map((to) => ({ to, type: "REQUEST", payload: name })), done: true };
    },
  });
  const agents = [handOn("a", 5, "b", "c"), handOn("b", 40, "d"), handOn("c", 5), handOn("d", 5, "user")];
  const graph = Object.assign(bus({ agents }), { checkpointer: new MemorySaver() });
  const config = { configurable: { thread_id: "t" } };
  await graph.invoke({ task: "t" }, config);
  const { metrics, times } = (await graph.getState(config)).values as State;
  expect(times.map(({ agent }) => agent).toSorted()).toEqual(["a", "b", "c", "d"]);
  const of = (name: string) => sum(times.filter(({ agent }) => agent === name).map(lasted));
  expect(metrics.criticalPathMs).toBe(of("a") + Math.max(of("b") + of("d"), of("c")));
});
