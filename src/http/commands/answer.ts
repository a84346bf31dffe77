import { AuthRefusal } from "../../auth/auth.ts";
import { CheckpointNotFound, ServiceError, threadNotFound } from "../../errors.ts";
import { readProgress } from "../../runs/thread-runs.ts";
import { findThread } from "../../threads/threads.ts";
import { runDecisions } from "../admission/run-access.ts";
import { type Command, CommandError, type CommandErrorCode, type CommandSource, type Method } from "./command.ts";
import { inject, respond } from "./input-commands.ts";
import { runStart } from "./run-commands.ts";
import { forkState, getState, getTree, listCheckpoints } from "./state-commands.ts";

export type CommandAnswer =
  | { type: "success"; id: number; result: object; meta: CommandMeta }
  | { type: "error"; id: number | null; error: CommandErrorCode; message: string; meta?: CommandMeta };

interface CommandMeta {
  thread_id: string;
  /** The sequence number of the thread's last event before the command. Events that the command causes have higher numbers. */
  applied_through_seq: number;
}

const onSocketOnly: Method = async () => {
  throw new CommandError(
    "not_supported",
    "Subscriptions exist only on a WebSocket. Over HTTP, each POST to /stream/events is a subscription.",
  );
};

const methods = new Map<string, Method>([
  ["run.start", runStart],
  ["input.respond", respond],
  ["input.inject", inject],
  ["state.get", getState],
  ["state.listCheckpoints", listCheckpoints],
  ["state.fork", forkState],
  ["agent.getTree", getTree],
  ["subscription.subscribe", onSocketOnly],
  ["subscription.unsubscribe", onSocketOnly],
  ["subscription.reconnect", onSocketOnly],
]);

/** The actions that a route must declare in its `config.access` before it may execute commands. */
export const commandDecisions = ["threads:read", ...runDecisions] as const;

/**
 * Executes a command and returns the protocol's response. An error of the command becomes part of the response. Any other error is thrown,
 * for example if the authentication fails or the database does not respond. `onSocket` holds the methods that exist only on a WebSocket.
 */
export async function answerCommand(
  from: CommandSource,
  { id, method, params }: Command,
  onSocket = new Map<string, Method>(),
): Promise<CommandAnswer> {
  const { deps, request, threadId } = from;
  const { scope: readable } = await request.access("threads:read", { thread_id: threadId });
  const isThere = (await findThread(deps.pool, readable, threadId)) !== undefined;
  // This number is read before the command runs, so that the command's own events have higher numbers.
  const through = isThere ? (await readProgress(deps.pool, threadId)).through : 0;
  const meta = { thread_id: threadId, applied_through_seq: Math.max(0, through) };
  try {
    // `run.start` creates a missing thread. A client on a WebSocket may use a thread before it exists, to wait for its events. All other
    // methods need an existing thread.
    if (!isThere && method !== "run.start" && !onSocket.has(method))
      throw new CommandError("no_such_run", threadNotFound(threadId).message);
    const perform = onSocket.get(method) ?? methods.get(method);
    if (!perform)
      throw new CommandError("unknown_command", `There is no command "${method}". The commands are: ${[...methods.keys()].join(", ")}.`);
    return { type: "success", id, result: await perform({ ...from, readable }, params), meta };
  } catch (error) {
    const reason = reasonOf(error);
    if (!reason) throw error;
    return { type: "error", id, error: reason, message: error instanceof Error ? error.message : String(error), meta };
  }
}

const aboutCommand = ["malformed", "invalid", "conflict", "thread_without_graph", "too_large"];

function reasonOf(error: unknown): CommandErrorCode | undefined {
  if (error instanceof CommandError) return error.reason;
  if (error instanceof CheckpointNotFound) return "no_such_checkpoint";
  if (error instanceof AuthRefusal && error.status === 403) return "permission_denied";
  return error instanceof ServiceError && aboutCommand.includes(error.code) ? "invalid_argument" : undefined;
}
