import { isDeepStrictEqual } from "node:util";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { isId } from "../../db/ids.ts";
import type { Db } from "../../db/sql.ts";
import { runNotFound, ServiceError } from "../../errors.ts";
import type { RunCheck } from "../../runs/create.ts";
import { type IdempotentRequest, madeForKey } from "../../runs/idempotency.ts";
import { Priority } from "../../runs/queue.ts";
import { isThreadBusy } from "../../runs/read.ts";
import type { RunRequest } from "../../runs/request.ts";
import { MultitaskStrategy, type Run } from "../../runs/run.ts";
import { submitRuns } from "../../runs/submit.ts";
import { openQuestions } from "../../threads/questions.ts";
import { lockThread } from "../../threads/threads.ts";
import { admitRun } from "../admission/run-access.ts";
import { idempotent } from "../runs/idempotency-key.ts";
import { runCheck } from "../runs/run-check.ts";
import { toNewRun } from "../runs/run-request.ts";
import { Command, Config, Json, Text } from "../schemas.ts";
import { CommandError, type CommandScope, Command as Envelope, withParams } from "./command.ts";

const isCommand = (input: unknown) => Object(input).lg_name === "Command";

/** The input of a run. RemoteGraph resumes a run by sending, in place of the input, a command in LangGraph's serialised form. */
const Input = z.union([
  z.custom<unknown>((input) => !isCommand(input)).transform((input = null) => ({ input })),
  Command.transform((command) => ({ command })),
]);

const Start = z.object({
  assistant_id: Text.min(1),
  input: Input.default({ input: null }),
  config: Config.nullish(),
  context: Json.nullish(),
  metadata: Json.nullish(),
  priority: Priority.nullish(),
  // The SDK sends `multitaskStrategy`, and the REST routes use `multitask_strategy`.
  multitaskStrategy: MultitaskStrategy.nullish(),
  multitask_strategy: MultitaskStrategy.nullish(),
});

/**
 * The stream options of runs that the event streaming protocol creates. Such a run must log every event, because the protocol's events are
 * made from the log.
 */
const loggedInFull: Pick<RunRequest, "stream_mode" | "stream_subgraphs" | "stream_resumable"> = {
  stream_mode: ["values", "updates", "messages-tuple", "custom", "tasks", "tools", "checkpoints"],
  stream_subgraphs: true,
  stream_resumable: true,
};

/** Starts a run. If the thread has an open question, the input becomes its answer. */
export const runStart = withParams(Start, async (scope, { multitaskStrategy, multitask_strategy, input, ...given }) => {
  const strategy = multitaskStrategy ?? multitask_strategy ?? "enqueue";
  const wanted = { ...given, multitask_strategy: strategy, if_not_exists: "create" as const };
  const run = await makeLoggedRun(scope, async (db) => ({
    ...wanted,
    ...(await toInput(db, scope.threadId, { config: wanted.config, given: input })),
  }));
  return { run_id: run.run_id };
});

interface Given extends Pick<RunRequest, "config"> {
  given: z.output<typeof Input>;
}

async function toInput(db: Db, threadId: string, { config, given }: Given) {
  if ("command" in given) return given;
  const { input } = given;
  const fromEarlier = typeof config?.configurable?.checkpoint_id === "string";
  if (input === null || fromEarlier || (await isThreadBusy(db, threadId))) return { input };
  const isAsked = (await openQuestions(db, threadId)).length > 0;
  return isAsked ? { command: { resume: input } } : { input };
}

/**
 * Creates a run that logs all of its events. `decide` reads the thread and returns the request for the run. It is called once to ask auth
 * about the request, and again while the thread is locked. If the second request differs from the first, the thread has changed meanwhile,
 * and a conflict is thrown.
 */
export async function makeLoggedRun(scope: CommandScope, decide: (db: Db) => Promise<RunRequest>): Promise<Run> {
  const { deps, request, threadId } = scope;
  const key = keyOf(request);
  const before = await findMadeRun(deps.pool, key); // a retry gets the run of the first request, even if the thread has changed
  if (before) return before;
  const wanted = await decide(deps.pool).catch(asError);
  if (wanted instanceof Error) {
    const meanwhile = await findMadeRun(deps.pool, key); // the same command may have arrived twice, and the other request was faster
    if (meanwhile) return meanwhile;
    throw wanted;
  }
  const newRun = toNewRun(deps.settings, { ...wanted, ...loggedInFull }, { threadId, headers: request.headers });
  newRun.kwargs.checkpoint_envelopes = true;
  const { caller, run } = await admitRun(request, newRun);
  let boundTo: unknown;
  const prepare = async (tx: Db) => {
    boundTo = (await lockThread(tx, caller.threads, threadId))?.metadata.assistant_id;
    if (!isDeepStrictEqual(await decide(tx), wanted)) throw new ServiceError("conflict", "The thread has moved on meanwhile. Try again.");
  };
  const check = bindThread(() => boundTo, runCheck(deps.registry));
  const [made] = await submitRuns(deps, [{ caller, run, check }], { key, prepare });
  if (!made) throw runNotFound(); // the run that this Idempotency-Key created has been deleted meanwhile
  return made;
}

async function findMadeRun(db: Db, key: IdempotentRequest | undefined): Promise<Run | undefined> {
  return key && (await madeForKey(db, key))?.[0];
}

const asError = (error: Error) => error;

/**
 * Returns the Idempotency-Key of the request, together with the parts of the command that a retry must repeat. The id of the command is not
 * among them, because a retry may have another id. Returns undefined for a request without a key, and for commands on a WebSocket, which
 * have none.
 */
function keyOf(request: FastifyRequest): IdempotentRequest | undefined {
  const key = request.method === "POST" ? idempotent(request) : undefined;
  if (!key) return undefined;
  const { method, params } = Envelope.parse(request.body);
  return { ...key, request: { route: request.params, method, params } };
}

/**
 * Returns a check that first refuses a run whose assistant differs from that of the thread's first run, and then calls `check`. In the
 * protocol, a thread has only one assistant. The thread's metadata holds the id of this assistant. Callers can store any value in the
 * metadata, so a value that is not an id is ignored.
 */
function bindThread(findBound: () => unknown, check: RunCheck): RunCheck {
  return async (tx, asked) => {
    const bound = findBound();
    const { assistant_id: assistantId, graph_id: graphId } = asked.assistant;
    if (typeof bound === "string" && isId(bound) && bound !== assistantId) {
      throw new CommandError("invalid_argument", `This thread belongs to assistant ${bound}, not to ${assistantId} (graph "${graphId}").`);
    }
    await check(tx, asked);
  };
}
