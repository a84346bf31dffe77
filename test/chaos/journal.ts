import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { LangGraphRunnableConfig } from "@langchain/langgraph";

/** An entry that a node wrote while it ran, outside the checkpoints. */
export interface JournalLine {
  runId: string;
  attempt: number;
  /** The path of nodes to this one, as in LangGraph's namespace but without task ids. It is the same in every attempt. */
  path: string;
  /** The namespaces of the graph and its parents, outermost first, each with its step at the time. */
  ns: string;
  taskId: string;
  step: number;
  what: string;
  phase: "begin" | "end" | "done outside";
  pid: number;
  /** Milliseconds by the machine's clock, which is the database's too. */
  at: number;
}

const variable = "CHAOS_JOURNAL";

export const journalEnv = (file: string) => ({ [variable]: file });

/** Appends a line. The processes of the service call it. */
export function note(config: LangGraphRunnableConfig, what: string, phase: JournalLine["phase"]): void {
  const { run_id: runId, __pregel_task_id: taskId } = config.configurable ?? {};
  const { run_attempt: attempt, langgraph_step: step, langgraph_checkpoint_ns: namespace } = config.metadata ?? {};
  const parts = String(namespace).split("|");
  const line: JournalLine = {
    runId,
    attempt: Number(attempt),
    path: parts.map((part) => part.split(":")[0]).join("|"),
    ns: parts.slice(0, -1).join("|"),
    taskId,
    step: Number(step),
    what,
    phase,
    pid: process.pid,
    at: performance.timeOrigin + performance.now(),
  };
  appendFileSync(process.env[variable] ?? "", `${JSON.stringify(line)}\n`);
}

export function readJournal(file: string): JournalLine[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.flatMap((line) => parseLine(line));
}

/** Reads the lines. A process that is killed while it writes may leave half a line. */
function parseLine(line: string): JournalLine[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
