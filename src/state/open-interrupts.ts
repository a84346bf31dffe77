import type { StateSnapshot } from "@langchain/langgraph";
import { WRITES_IDX_MAP } from "@langchain/langgraph-checkpoint";
import type { AnyGraph } from "../registry/registry.ts";

/**
 * The newest state with the questions that are open, and no others. LangGraph shows what a task asked even when it was answered and
 * the task is done, as long as one beside it still waits; and a task that asks again after an answer it counts as done.
 */
export async function withOpenInterrupts(graph: AnyGraph, snapshot: StateSnapshot): Promise<StateSnapshot> {
  const { checkpointer } = graph;
  if (typeof checkpointer !== "object" || snapshot.tasks.every(({ interrupts }) => interrupts.length === 0)) return snapshot;
  const writes = (await checkpointer.getTuple(snapshot.config))?.pendingWrites ?? [];
  const done = new Set(writes.filter(([, channel]) => !(channel in WRITES_IDX_MAP)).map(([taskId]) => taskId));
  const tasks = snapshot.tasks.map((task) => (done.has(task.id) ? { ...task, interrupts: [] } : task));
  const asking = tasks.filter(({ interrupts }) => interrupts.length > 0).map(({ name }) => name);
  return { ...snapshot, tasks, next: [...snapshot.next, ...missingFrom(snapshot.next, asking)] };
}

/** What of the second list the first has too few of: several tasks of one node have one name. */
function missingFrom(names: string[], wanted: string[]): string[] {
  const left = [...names];
  return wanted.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
