import type { StateSnapshot } from "@langchain/langgraph";
import { WRITES_IDX_MAP } from "@langchain/langgraph-checkpoint";
import type { AnyGraph } from "../registry/registry.ts";

/**
 * Returns the thread's newest state with only those interrupts that are not answered yet. LangGraph's own snapshot is wrong in two cases:
 * - A task was answered and has finished while a parallel task still waits. The snapshot still shows the interrupt of the finished task.
 * - A task asks a second question after an answer. The snapshot's `next` then lacks the node of this task.
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

/**
 * Returns the names in `wanted` that are missing in `names`. A name that occurs twice in `wanted` must also occur twice in `names`, because
 * two tasks of the same node have the same name.
 */
function missingFrom(names: string[], wanted: string[]): string[] {
  const left = [...names];
  return wanted.filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
