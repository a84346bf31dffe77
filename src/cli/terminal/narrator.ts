import { z } from "zod";
import { openPictures } from "../pictures/pictures.ts";
import { excerpt, safeJson } from "./clean.ts";
import { type Moment, textOf } from "./moments.ts";
import type { Screen } from "./screen.ts";
import { startSpeech } from "./speech.ts";

const Progress = z.looseObject({ type: z.string(), pattern: z.string(), elapsedMs: z.number().optional() });
const Message = z.looseObject({
  type: z.string(),
  name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
  content: z.unknown().optional(),
  tool_calls: z.array(z.looseObject({ id: z.string().nullish(), name: z.string(), args: z.unknown().optional() })).optional(),
});
const Messages = z.object({ messages: z.array(Message) });

export interface Narrator {
  tell(moment: Moment): void;
  /** Ends the line of the text that is being shown. */
  pause(): void;
  /** Returns whether a text has already been shown completely. */
  hasSaid(text: string): boolean;
}

/** Shows a run while it is executed: a line for each step and each progress event, and the tokens of models as they arrive. */
export function startNarrator(screen: Screen): Narrator {
  const speech = startSpeech(screen);
  const pictures = openPictures(screen);
  const shown = new Set<string>();
  let named = false;

  function tellStep({ path, node, update }: Extract<Moment, { kind: "step" }>): void {
    named = true;
    if (pictures.begun) return; // the picture already shows the steps
    screen.line(["green", "✓ "], ["dim", path.map((each) => `${each} › `).join("")], node);
    for (const [id, line] of toolLines(update)) {
      if (!shown.has(id)) screen.line("    ", ["dim", line]); // a parent graph repeats the messages of its subgraph
      shown.add(id);
    }
  }

  function tellProgress(path: string[], data: unknown): void {
    if (pictures.take(data)) return;
    const read = Progress.safeParse(data);
    if (!read.success) {
      screen.line(["cyan", "· "], ["dim", excerpt(safeJson(data), 160)]);
      return;
    }
    const { type, pattern, elapsedMs, ...rest } = read.data;
    const at = path.length > 0 ? `${path.join(" › ")} ` : "";
    const time = elapsedMs === undefined ? "" : `  ${(elapsedMs / 1_000).toFixed(1)} s`;
    screen.line(["cyan", "· "], `${at}${pattern} ${type}`, ["dim", `${details(rest)}${time}`]);
  }

  /** Shows a step if only its values are known. A run that streams only values does not name its steps. */
  function tellValues(path: string[], values: unknown): void {
    if (named || path.length > 0 || pictures.begun || isQuestion(values)) return;
    screen.line(["dim", `✓ a step; the values are ${excerpt(safeJson(values), 120)}`]);
  }

  return {
    hasSaid: speech.hasSaid,
    pause() {
      speech.endAll();
      pictures.leave();
    },
    tell(moment) {
      if (moment.kind === "step") speech.end(moment.path, moment.node, () => tellStep(moment));
      else if (moment.kind === "token") speech.say(moment);
      else if (moment.kind === "progress") tellProgress(moment.path, moment.data);
      else if (moment.kind === "values") tellValues(moment.path, moment.values);
      else if (moment.kind === "attempt" && moment.attempt > 1)
        screen.line(["yellow", `↻ a worker retries the run (attempt ${moment.attempt})`]);
    },
  };
}

const isQuestion = (values: unknown) => typeof values === "object" && values !== null && "__interrupt__" in values;

function details(rest: Record<string, unknown>): string {
  return Object.entries(rest)
    .map(([key, value]) => `  ${key}: ${excerpt(typeof value === "string" ? value : safeJson(value), 60)}`)
    .join("");
}

/** Returns a line for each tool call and each tool result of a step. They are not part of the streamed tokens. */
function toolLines(update: unknown): [id: string, line: string][] {
  const read = Messages.safeParse(update);
  if (!read.success) return [];
  return read.data.messages.flatMap((message) => {
    const answer = `${message.name ?? "tool"} answers ${excerpt(textOf(message.content), 120)}`;
    if (message.type === "tool") return [[`answer ${message.tool_call_id ?? answer}`, answer]];
    return (message.tool_calls ?? []).map(({ id, name, args }): [string, string] => {
      const line = `calls ${name} ${excerpt(safeJson(args), 120)}`;
      return [`call ${id ?? line}`, line];
    });
  });
}
