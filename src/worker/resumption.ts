import { createHash } from "node:crypto";
import type { Checkpoint, CheckpointTuple } from "@langchain/langgraph-checkpoint";
import type { Pool } from "pg";
import { forgetAnswersOfRun, lastCheckpointOfRun } from "../checkpoints/lifecycle.ts";
import { EnsembleSaver, LostRight } from "../checkpoints/saver.ts";
import { holdRight } from "../db/fence.ts";
import { type Db, transaction } from "../db/sql.ts";
import type { AnyGraph } from "../registry/registry.ts";
import type { Claim } from "../runs/claim.ts";
import type { AnswerRefusal } from "../runs/end.ts";
import type { RunCommand } from "../runs/run.ts";
import { toCommand } from "../state/command.ts";
import { answersById, type OpenQuestion, openQuestions, unaskedIds } from "../threads/questions.ts";
import type { Attempt } from "./attempt.ts";

/**
 * The error of a run that cannot continue. Either the graph no longer has the thread's next node, or the graph has changed and the operator
 * forbids runs to continue on a changed graph.
 */
export class GraphChanged extends Error {
  override name = "GraphChangedError";
}

export interface StartingPoint {
  input: unknown;
  /**
   * The names of keys to delete from `configurable`. Setting these keys to undefined would not be enough, because LangGraph tests only
   * whether a key exists.
   */
  without: string[];
  /** True if an earlier attempt of the run reached a static breakpoint, but was lost before it could report this. */
  atBreakpoint: boolean;
}

/**
 * Returns where the attempt starts. A first attempt starts as the run's request says. A later attempt continues from the newest checkpoint
 * that the run has stored. If the run has stored none, the later attempt starts like the first one. Throws if the graph cannot continue
 * from the checkpoint.
 */
export async function startingPoint({ deps: { pool }, claim, policy, graphVersion }: Attempt, graph: AnyGraph): Promise<StartingPoint> {
  const { runId, threadId, attempt } = claim;
  const { command, input } = claim.kwargs;
  const ofThisRun = attempt > 1 && (await lastCheckpointOfRun(pool, threadId, runId)) !== undefined;
  if (attempt > 1 && !ofThisRun) await forgetAnswers(pool, claim);
  if (!ofThisRun && !command && input !== null) return { input, without: [], atBreakpoint: false };

  const found = await examineCheckpoint(pool, graph, claim, ofThisRun);
  if (policy.onGraphChange === "refuse" && found.version !== undefined && found.version !== graphVersion) {
    throw new GraphChanged(
      `The thread was written by version ${found.version} of the graph; this is ${graphVersion} (ENSEMBLE_ON_GRAPH_CHANGE).`,
    );
  }
  if (ofThisRun) return { input: null, without: ["checkpoint_id", "checkpoint_ns", "checkpoint_map"], atBreakpoint: found.atBreakpoint };
  return { input: command ? toCommand(await addressAnswer(pool, claim, command)) : input, without: [], atBreakpoint: false };
}

async function forgetAnswers(pool: Pool, claim: Claim): Promise<void> {
  await transaction(pool, async (tx) => {
    if (!(await holdRight(tx, claim))) throw new LostRight(claim);
    await forgetAnswersOfRun(tx, claim.threadId, claim.runId);
  });
}

const pendingBranch = "branch:to:";

/**
 * Checks the checkpoint from which a run continues.
 * - Throws if the next node at this checkpoint no longer exists in the graph. LangGraph would skip the node and end the run as if it had
 *   succeeded.
 * - Finds out whether an earlier attempt had already reached a static breakpoint here. The run must then stop at the breakpoint, but
 *   LangGraph would continue past it.
 */
async function examineCheckpoint(
  db: Db,
  graph: AnyGraph,
  claim: Claim,
  ofThisRun: boolean,
): Promise<{ atBreakpoint: boolean; version?: string }> {
  const saver = new EnsembleSaver(db);
  const { thread_id, checkpoint_id } = claim.kwargs.config.configurable ?? {};
  const tuple = await saver.getTuple({ configurable: { thread_id, ...(!ofThisRun && checkpoint_id ? { checkpoint_id } : {}) } });
  if (!tuple) return { atBreakpoint: false };
  const next = pendingNodes(graph, tuple);
  const missing = next.filter((node) => !(node in graph.nodes));
  if (missing.length > 0) {
    throw new GraphChanged(
      `The thread stopped before ${missing.map((node) => `"${node}"`).join(", ")}, which graph "${String(claim.kwargs.config.configurable?.graph_id)}" no longer has. ` +
        "Update the thread's state as another node, fork from an earlier checkpoint, or bring the node back.",
    );
  }
  const version = Object(tuple.metadata).graph_version;
  return {
    atBreakpoint: ofThisRun && (await isAtBreakpoint(saver, tuple, next, graph, claim)),
    ...(typeof version === "string" && { version }),
  };
}

/** Returns the names of the nodes that come next at a checkpoint: the targets of edges and of Sends. */
function pendingNodes(graph: AnyGraph, { checkpoint }: CheckpointTuple): string[] {
  const isPending = ([channel]: [string, unknown]) => !isLeftOver(graph, checkpoint, channel);
  const { __pregel_tasks: sends, ...values } = Object.fromEntries(Object.entries(checkpoint.channel_values).filter(isPending));
  const branches = Object.keys(values).filter((channel) => channel.startsWith(pendingBranch));
  const targets = Array.isArray(sends) ? sends.map((send: { node?: unknown }) => String(send.node)) : [];
  return [...new Set([...branches.map((channel) => channel.slice(pendingBranch.length)), ...targets])];
}

/**
 * Tells whether a channel was last written before the newest input. The node that it would start is then no longer due, because a new input
 * replaces the nodes that were due. LangGraph clears only the channels of the current graph. Without this check, the node of a channel that
 * the graph no longer has would seem due forever. Only the integer parts of versions are compared, because they count the steps.
 */
function isLeftOver({ inputChannels }: AnyGraph, { channel_versions: versions }: Checkpoint, channel: string): boolean {
  const stepOf = (name: string) => Math.floor(Number(versions[name]));
  return [inputChannels].flat().some((input) => stepOf(String(input)) > stepOf(channel));
}

async function isAtBreakpoint(
  saver: EnsembleSaver,
  tuple: CheckpointTuple,
  next: string[],
  graph: AnyGraph,
  { kwargs }: Claim,
): Promise<boolean> {
  if (tuple.metadata?.source !== "loop" || next.length === 0) return false;
  if (matches(kwargs.interrupt_before ?? graph.interruptBefore, next)) return true;
  const after = kwargs.interrupt_after ?? graph.interruptAfter;
  const parent = after && tuple.parentConfig ? await saver.getTuple(tuple.parentConfig) : undefined;
  return parent !== undefined && matches(after, pendingNodes(graph, parent));
}

function matches(named: "*" | unknown[] | null | undefined, nodes: string[]): boolean {
  return named === "*" || nodes.some((node) => named?.includes(node));
}

/**
 * Returns the version of the graph. It consists of the configured version, if there is one, and a hash of the graph's nodes and channels.
 * Graphs with different hashes may be unable to read each other's checkpoints.
 */
export function graphVersion(graph: AnyGraph, given: string | undefined): string {
  const nodes = Object.entries(graph.nodes).map(([name, node]) => [name, [...node.triggers].sort()]);
  const channels = Object.entries(graph.channels).map(([name, channel]) => [name, channel.lc_graph_name]);
  const structure = createHash("sha256")
    .update(JSON.stringify([nodes.sort(byName), channels.sort(byName)]))
    .digest("hex")
    .slice(0, 12);
  return given ? `${given}+${structure}` : structure;
}

const byName = ([a]: unknown[], [b]: unknown[]) => (String(a) < String(b) ? -1 : 1);

/**
 * The error for an answer to a question that is no longer open, in the form that the SDK expects. Only runs with `strict_resume` get it. It
 * is thrown here if other runs came between the request and the start of the run, because otherwise the request itself is refused.
 */
export class UnknownInterruptError extends Error {
  override name = "UnknownInterruptError";
  readonly refusal: AnswerRefusal;

  constructor(unasked: string[], questions: OpenQuestion[]) {
    super(`No question with the id ${unasked[0]} is open.`);
    this.refusal = { reason: "unknown_interrupt", interrupt_ids: unasked, pending_ids: questions.map(({ id }) => id) };
  }
}

function refuseUnasked(questions: OpenQuestion[], resume: unknown): void {
  const unasked = unaskedIds(questions, resume);
  if (unasked.length > 0) throw new UnknownInterruptError(unasked, questions);
}

/**
 * If exactly one question is open, adds its id to an answer that names no question. LangGraph would give such an answer to any node that
 * asks a question, even to one that asks later. It would also ignore the answer if the answer is falsy ("", 0, false).
 */
async function addressAnswer(db: Db, { threadId, kwargs }: Claim, command: RunCommand): Promise<RunCommand> {
  const { resume } = command;
  const isBare = resume !== undefined && resume !== null && !answersById(resume);
  if (kwargs.strict_resume && !kwargs.config.configurable?.checkpoint_id) refuseUnasked(await openQuestions(db, threadId), resume);
  if (!isBare || kwargs.config.configurable?.checkpoint_id) return command; // an earlier checkpoint may have other open questions
  const [question, ...others] = await openQuestions(db, threadId);
  return question && others.length === 0 ? { ...command, resume: { [question.id]: resume } } : command;
}
