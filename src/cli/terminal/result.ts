import { z } from "zod";
import { showReport } from "../pictures/pictures.ts";
import { textOf } from "./moments.ts";
import { outline } from "./outline.ts";
import { questionsIn, showQuestion } from "./questions.ts";
import type { Screen } from "./screen.ts";

const Values = z.record(z.string(), z.unknown());
const Conversation = z.array(z.looseObject({ content: z.unknown().optional() })).min(1);
/** The keys under which graphs keep their result for people. */
const resultKeys = ["report", "answer", "result"];

/**
 * Shows the result of a run: its report or answer, else its last message, else its values as JSON. It does not repeat text that was
 * already shown. A run that stopped for questions shows them.
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
    if (!showReport(screen, result)) screen.line("\n", outline(result));
    return;
  }
  const messages = Conversation.safeParse(known.messages);
  const last = messages.success ? textOf(messages.data.at(-1)?.content) : "";
  if (!last) screen.line("\n", JSON.stringify(values ?? null, null, 2));
  else if (!hasSaid(last)) screen.line("\n", last);
}
