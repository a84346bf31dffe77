import { z } from "zod";
import { LetterKind, LetterState } from "../../letters/letter.ts";
import { Id } from "../schemas.ts";

/** A dead letter: work that failed for good. */
export const DeadLetter = z
  .object({
    id: Id.describe("the letter of a webhook has the id of the webhook's run"),
    kind: LetterKind,
    run_id: Id.nullable().describe("the run that failed, or whose item failed"),
    thread_id: Id.nullable(),
    cron_id: Id.nullable(),
    graph_id: z.string().nullable(),
    node: z.string().nullable(),
    item: z.string().nullable().describe("the name of the failed item, or the URL of the webhook"),
    error: z.object({ type: z.string(), message: z.string() }),
    attempts: z.number().int().describe("how often it failed for good"),
    first_at: z.iso.datetime(),
    last_at: z.iso.datetime(),
    state: LetterState,
    by: z.string().nullable().describe("the user who redrove or discarded it"),
    owner: z.string().nullable().describe("the user of the run that failed"),
    redrive: z.object({ run_id: Id, thread_id: Id }).nullable().describe("the run that redrives it, or did so last"),
  })
  .meta({ id: "DeadLetter" });

/** A dead letter with its payload. */
export const WholeLetter = DeadLetter.extend({ payload: z.unknown() }).meta({ id: "WholeDeadLetter" });
