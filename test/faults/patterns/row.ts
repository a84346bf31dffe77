import type { ScriptedReply } from "../../../graphs/testing/scripted-model.ts";

/** A run of a pattern that is interrupted by a test. */
export interface Broken {
  graphId: string;
  input: Record<string, unknown>;
  context?: object;
  /** The question at which the run is interrupted, and how often each question must be asked in total. */
  at: string;
  asked: Record<string, number>;
  /** Results of parallel tasks that must be stored before the run is interrupted. */
  stored?: { channel: string; count: number };
  answers: [words: string, reply: ScriptedReply][];
  outcome: object;
  /** The result if the model refuses every request, for patterns that then end without an error. */
  refused?: object;
}

export const stage = (name: string) => ({ name, do: { task: `do ${name}` } });
