import { z } from "zod";
import { showReport } from "../pictures/pictures.ts";
import { textOf } from "./moments.ts";
import { outline } from "./outline.ts";
import { questionsIn, showQuestion } from "./questions.ts";
import type { Screen } from "./screen.ts";

const Values = z.record(z.string(), z.unknown());
const Conversation = z.array(z.looseObject({ content: z.unknown().optional() })).min(1);
/** The fields of the state in which graphs return a result for people, in the order of preference. */
const resultKeys = ["report", "answer", "result"];

/**
 * Shows the result of a run: its report or answer, or else its last message, or else its values as JSON. If the run stopped for questions,
 * shows the questions instead. Does not repeat texts that were shown while the run streamed.
 */
export function showResult(screen: Screen, values: unknown, hasSaid: (text: string) => boolean): void {
  const questions = questionsIn(values);
  if (questions) {
    for (const { value } of questions) showQuestion(screen, value);
    return;
  }
  const read = Values.safeParse(values);
  const known = read.success ? read.data : {};
  const result = resultKeys.map((key) => known[key]).find((value) => value !== undefined && value !== null && value !== "");
  if (result !== undefined) {
    const rest = withoutSaid(result, hasSaid);
    if (rest !== undefined && !showReport(screen, rest)) screen.line("\n", outline(rest));
    return;
  }
  const messages = Conversation.safeParse(known.messages);
  const last = messages.success ? textOf(messages.data.at(-1)?.content) : "";
  if (!last) screen.line("\n", JSON.stringify(values ?? null, null, 2));
  else if (!hasSaid(last)) screen.line("\n", last);
}

/** Returns the result without a text that has already been shown. Returns undefined if nothing is left. */
function withoutSaid(result: unknown, hasSaid: (text: string) => boolean): unknown {
  if (typeof result === "string") return hasSaid(result) ? undefined : result;
  const { executiveSummary: summary, ...rest } = Object(result);
  return typeof summary === "string" && hasSaid(summary) ? rest : result;
}
