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
  /** Ends the texts that are being shown, and leaves the live display on the screen. */
  pause(): void;
  /** Tells whether exactly this text of a model has been shown. */
  hasSaid(text: string): boolean;
}

/** Shows a run while it executes: a line for each step and each progress event, and the tokens of models as they arrive. */
export const startNarrator = (screen: Screen): Narrator => new LineNarrator(screen);

class LineNarrator implements Narrator {
  private readonly screen: Screen;
  private readonly speech: ReturnType<typeof startSpeech>;
  private readonly pictures: ReturnType<typeof openPictures>;
  /**
   * The keys of the tool calls and tool results that were shown. A subgraph's messages come again from its parent graph, and must not be
   * shown again.
   */
  private readonly shown = new Set<string>();
  /** True if the stream has "updates" events, which name the steps. A stream with only "values" events does not name them. */
  private isNamed = false;

  constructor(screen: Screen) {
    this.screen = screen;
    this.speech = startSpeech(screen);
    this.pictures = openPictures(screen);
  }

  hasSaid(text: string): boolean {
    return this.speech.hasSaid(text);
  }

  pause(): void {
    this.speech.endAll();
    this.pictures.leave();
  }

  tell(moment: Moment): void {
    if (moment.kind === "step") this.speech.end(moment.path, moment.node, () => this.tellStep(moment));
    else if (moment.kind === "token") this.speech.say(moment);
    else if (moment.kind === "progress") this.tellProgress(moment.path, moment.data);
    else if (moment.kind === "values") this.tellValues(moment.path, moment.values);
    else if (moment.kind === "attempt" && moment.attempt > 1)
      this.screen.line(["yellow", `↻ a worker retries the run (attempt ${moment.attempt})`]);
  }

  private tellStep({ path, node, update }: Extract<Moment, { kind: "step" }>): void {
    this.isNamed = true;
    if (this.pictures.begun) return; // the live display already shows the steps
    this.screen.line(["green", "✓ "], ["dim", path.map((each) => `${each} › `).join("")], node);
    for (const [id, line] of toolLines(update)) {
      if (!this.shown.has(id)) this.screen.line("    ", ["dim", line]);
      this.shown.add(id);
    }
  }

  private tellProgress(path: string[], data: unknown): void {
    if (this.pictures.take(data)) return;
    const read = Progress.safeParse(data);
    if (!read.success) {
      this.screen.line(["cyan", "· "], ["dim", excerpt(safeJson(data), 160)]);
      return;
    }
    const { type, pattern, elapsedMs, ...rest } = read.data;
    const at = path.length > 0 ? `${path.join(" › ")} ` : "";
    const time = elapsedMs === undefined ? "" : `  ${(elapsedMs / 1_000).toFixed(1)} s`;
    this.screen.line(["cyan", "· "], `${at}${pattern} ${type}`, ["dim", `${details(rest)}${time}`]);
  }

  /** Shows a step of a stream that has only "values" events. */
  private tellValues(path: string[], values: unknown): void {
    if (this.isNamed || path.length > 0 || this.pictures.begun || isQuestion(values)) return;
    this.screen.line(["dim", `✓ a step; the values are ${excerpt(safeJson(values), 120)}`]);
  }
}

const isQuestion = (values: unknown) => typeof values === "object" && values !== null && "__interrupt__" in values;

function details(rest: Record<string, unknown>): string {
  return Object.entries(rest)
    .map(([key, value]) => `  ${key}: ${excerpt(typeof value === "string" ? value : safeJson(value), 60)}`)
    .join("");
}

/** Returns a line for each tool call and each tool result in the update of a step. The streamed tokens contain neither of the two. */
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
