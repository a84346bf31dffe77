import type { DeadLetter } from "./reads.ts";

/** The labels that the console shows for the kinds of dead letters. */
export const kindNames: Record<DeadLetter["kind"], string> = {
  run: "Run",
  webhook: "Webhook",
  cron: "Cron",
  task: "Task",
  partition: "Partition",
  message: "Message",
  compensation: "Compensation",
};

/** The labels that the console shows for the states of dead letters. */
export const stateNames: Record<DeadLetter["state"], string> = {
  dead: "Dead",
  redriving: "Being redriven",
  redriven: "Redriven",
  discarded: "Discarded",
};

/** Returns a title for a dead letter: the name of its item, or else of its node or graph, or else the name of its kind. */
export const titleOf = ({ item, node, graph_id, kind }: DeadLetter): string => item ?? node ?? graph_id ?? kindNames[kind];
