import { z } from "zod";
import type { Scope } from "../../db/scope.ts";
import type { Db } from "../../db/sql.ts";
import { isThreadBusy, listRuns } from "../../runs/read.ts";
import type { Run } from "../../runs/run.ts";
import { openQuestions } from "../../threads/questions.ts";
import { Command, Config, Json, Text } from "../schemas.ts";
import { CommandError, withParams } from "./command.ts";
import { makeLoggedRun } from "./run-commands.ts";

export const Namespace = z.array(Text).max(100);

const needsId = "input.respond requires an interrupt_id.";
const Answer = z.object({
  namespace: Namespace.nullish(),
  interrupt_id: z.string({ error: needsId }).min(1, needsId),
  response: z.unknown().optional(),
});
const Alongside = { update: Command.shape.update, goto: Command.shape.goto, config: Config.nullish(), metadata: Json.nullish() };
const Respond = z.union([
  z.object({ responses: z.array(Answer).min(1).max(1_000), ...Alongside }),
  Answer.extend(Alongside).transform(({ interrupt_id, response, ...others }) => ({ responses: [{ interrupt_id, response }], ...others })),
]);

/** Answers open questions that the thread's newest run has asked. One new run continues with all of these answers. */
export const respond = withParams(Respond, async (scope, { responses, update, goto, config, metadata }) => {
  await makeLoggedRun(scope, async (db) => {
    const asker = await newestRun(db, scope.readable, scope.threadId);
    await refuseUnasked(
      db,
      scope.threadId,
      responses.map(({ interrupt_id }) => interrupt_id),
    );
    const resume = Object.fromEntries(responses.map(({ interrupt_id, response = null }) => [interrupt_id, response]));
    const { context } = asker.kwargs; // an answer has no context, so the new run gets the context of the run that asked
    return { assistant_id: asker.assistant_id, command: { resume, update, goto }, context, config, metadata };
  });
  return {};
});

async function refuseUnasked(db: Db, threadId: string, interruptIds: string[]): Promise<void> {
  const questions = (await isThreadBusy(db, threadId)) ? [] : await openQuestions(db, threadId);
  if (questions.length === 0) {
    throw new CommandError("invalid_argument", "input.respond can only be used while the run is interrupted.");
  }
  const unasked = interruptIds.find((id) => !questions.some((question) => question.id === id));
  if (unasked === undefined) return;
  const open = questions.map(({ id }) => id).join(", ");
  throw new CommandError("no_such_interrupt", `No question with the interrupt_id ${unasked} is open. Open are: ${open}.`);
}

/** Returns the newest run of a thread. The thread's open questions come from this run, and this run's assistant receives new messages. */
export async function newestRun(db: Db, readable: Scope, threadId: string): Promise<Run> {
  const {
    rows: [run],
  } = await listRuns(db, readable, threadId, { limit: 1, offset: 0 });
  if (run) return run;
  throw new CommandError("no_such_run", `Thread ${threadId} has had no run.`);
}

const roles = { user: "human", system: "system" } as const;
const Inject = z.object({
  namespace: Namespace.nullish(),
  message: z.object({ role: z.enum(["user", "system"]), content: z.string().max(1_000_000), name: Text.nullish() }),
});

/**
 * Sends a message to a thread whose run is still open. A graph takes no input while it runs, so the message becomes the input of a new run.
 * The new run waits until the open run has ended.
 */
export const inject = withParams(Inject, async (scope, { namespace, message: { role, content, name } }) => {
  if (namespace && namespace.length > 0) {
    throw new CommandError("not_supported", "A message can be handed to the whole graph only: leave the namespace empty.");
  }
  await makeLoggedRun(scope, async (db) => {
    const current = await newestRun(db, scope.readable, scope.threadId);
    if (!(await isThreadBusy(db, scope.threadId))) {
      throw new CommandError("no_such_run", "input.inject can only be used while a run is open. Use run.start instead.");
    }
    const message = { type: roles[role], content, ...(name && { name }) };
    return { assistant_id: current.assistant_id, input: { messages: [message] }, context: current.kwargs.context };
  });
  return {};
});
