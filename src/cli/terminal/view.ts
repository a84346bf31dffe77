import { oneLine, safeJson } from "./clean.ts";
import { type Part, readMoments } from "./moments.ts";
import { startNarrator } from "./narrator.ts";
import { showResult } from "./result.ts";
import type { Screen } from "./screen.ts";

/** The view of a run: shows its events while it executes, and its result at the end. */
export interface View {
  begin(ids: { threadId: string; runId: string }): void;
  part(part: Part): void;
  /** Ends an incomplete line of text, because the stream has ended or the person has left. */
  pause(): void;
  values(values: unknown): void;
}

/** Returns the view for programs, which writes one line of JSON for each event, and one line for the final values. */
export function jsonView(output: { write(text: string): unknown }): View {
  const write = (value: unknown) => output.write(`${safeJson(value)}\n`);
  return {
    begin: ({ threadId, runId }) => write({ event: "created", data: { thread_id: threadId, run_id: runId } }),
    part: ({ event, data, id }) => write({ event, data, id }),
    pause: () => {},
    values: (values) => write({ event: "values", data: values }),
  };
}

/** Returns the view for people, which shows steps, texts and results in words. */
export function readableView(screen: Screen): View {
  const narrator = startNarrator(screen);
  return {
    begin: ({ threadId, runId }) => screen.line(["dim", `thread ${oneLine(threadId)}  run ${oneLine(runId)}`]),
    part(part) {
      for (const moment of readMoments(part)) narrator.tell(moment);
    },
    pause: () => narrator.pause(),
    values(values) {
      showResult(screen, values, (text) => narrator.hasSaid(text));
    },
  };
}
