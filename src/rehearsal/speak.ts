import type { Material } from "./material.ts";
import type { Message } from "./request.ts";
import { best, phraseOf, sentencesOf, wordsOf } from "./words.ts";

const longestResult = 600;

/** Returns an answer in prose: from the tools' results, else from the prompt. */
export function speak(material: Material, turn: Message[]): string {
  const results = turn.filter(({ role }) => role === "tool");
  return results.length > 0 ? reportResults(results, turn) : restate(material);
}

function reportResults(results: Message[], turn: Message[]): string {
  const names = new Map(turn.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => [call.id, call.function.name]));
  const lines = results.map(({ tool_call_id, content }) => {
    const found = content.length > longestResult ? `${content.slice(0, longestResult)}…` : content;
    return `${names.get(tool_call_id ?? "") ?? "The tool"} answered: ${found.trim() || "nothing"}`;
  });
  return lines.length === 1 ? `${lines[0]}` : lines.map((line) => `- ${line}`).join("\n");
}

/** Repeats a short prompt, and reduces a long one to its two most relevant sentences. */
function restate({ task, text }: Material): string {
  const prompt = task.trim() || text.trim();
  const subject = phraseOf(prompt, 6).split(" ");
  if (prompt.length <= 200) {
    const echo = `You ${prompt.endsWith("?") ? "asked" : "said"}: "${prompt}".`;
    return subject.length > 2 ? `${echo} This is about ${asList(subject)}.` : echo;
  }
  const sentences = [...new Set(sentencesOf(task))];
  const weights = new Map<string, number>();
  for (const word of wordsOf(task)) weights.set(word, (weights.get(word) ?? 0) + 1);
  const weigh = (sentence: string) => {
    const words = wordsOf(sentence);
    return words.reduce((sum, word) => sum + (weights.get(word) ?? 0), 0) / Math.sqrt(words.length + 4);
  };
  const first = best(sentences, weigh);
  const second = best(
    sentences.filter((sentence) => sentence !== first),
    weigh,
  );
  const kept = sentences.filter((sentence) => sentence === first || sentence === second).map((sentence) => sentence.slice(0, 300));
  return `In short: ${kept.join(" ")} The main points are ${asList(phraseOf(first ?? prompt, 4).split(" "))}.`;
}

function asList(words: string[]): string {
  const different = [...new Set(words.map((word) => word.toLowerCase()))];
  return different.length > 1 ? `${different.slice(0, -1).join(", ")} and ${different.at(-1)}` : (different[0] ?? "");
}
