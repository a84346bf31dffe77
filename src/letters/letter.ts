import { z } from "zod";

/** The kinds of work that can fail for good. */
export const LetterKind = z.enum(["run", "webhook", "cron", "task", "partition", "message", "compensation"]);
export type LetterKind = z.infer<typeof LetterKind>;

/** The kinds of failed items that a node can report. */
export const ItemKind = LetterKind.extract(["task", "partition", "message", "compensation"]);
export type ItemKind = z.infer<typeof ItemKind>;

/**
 * The states of a letter. A letter is dead until a person redrives or discards it. While its redrive runs, it is redriving. If that run
 * succeeds, the letter is redriven. If the run fails, the letter is dead again.
 */
export const LetterState = z.enum(["dead", "redriving", "redriven", "discarded"]);
export type LetterState = z.infer<typeof LetterState>;

/** A dead letter in the API's form. */
export interface DeadLetter {
  /** The id of the letter. The letter of a webhook has the id of the webhook's run. */
  id: string;
  kind: LetterKind;
  /** The run that failed, or the run whose item failed. Null for a cron, which could not create its run. */
  run_id: string | null;
  thread_id: string | null;
  cron_id: string | null;
  graph_id: string | null;
  /** The node that failed, or that reported the item. Null if the node is unknown. */
  node: string | null;
  /** The name of the failed item, or the URL of the webhook. Null for a run or a cron. */
  item: string | null;
  error: { type: string; message: string };
  attempts: number;
  first_at: Date;
  last_at: Date;
  state: LetterState;
  by: string | null;
  owner: string | null;
  /** The run that redrives the letter, or that was the last to redrive it. Null if there was no redrive. */
  redrive: { run_id: string; thread_id: string } | null;
}

/** The topic that announces letters that wait for their redrive. */
export const letterTopic = "letter";

/** The metadata key that marks a run as the redrive of a letter. Its value is the id of the letter. */
export const letterKey = "dead_letter_id";
