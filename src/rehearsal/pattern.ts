import type { Filling, Place } from "./place.ts";
import { allWords, phraseOf } from "./words.ts";

/** Returns a text that matches a regular expression: words of the prompt if some fit, else a text built from the expression. */
export function fillPattern(
  pattern: string,
  place: Place,
  { material, used }: Filling,
  fits: (text: string) => boolean,
): string | undefined {
  const expression = compile(pattern);
  if (!expression) return undefined;
  const candidates = [place.about, material.task].flatMap((text) => [...(text.match(/\S+/g) ?? []), ...allWords(text), phraseOf(text, 3)]);
  const fitting = candidates.slice(0, 2_000).filter((text) => text.length < 200 && expression.test(text) && fits(text));
  return (
    fitting.find((text) => !used.has(text)) ??
    fitting[0] ??
    [1, 2, 3, 4, 8, 16].map((count) => build(pattern, count)).find((text) => expression.test(text) && fits(text))
  );
}

/** Returns undefined for an invalid regular expression. */
export function compile(pattern: string): RegExp | undefined {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // not valid with these flags
    }
  }
}

/**
 * Builds a text from the first branch of the expression, with `count` of each open repetition. The caller tests the result, which catches
 * unsupported syntax.
 */
function build(pattern: string, count: number): string {
  let at = 0;
  const sequence = (): string => {
    let text = "";
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
      const start = at;
      const unit = atom();
      const times = repetition();
      text += unit.repeat(times);
      if (at === start) at++;
    }
    return text;
  };
  const alternatives = (): string => {
    const first = sequence();
    while (pattern[at] === "|") {
      at++;
      sequence();
    }
    return first;
  };
  const atom = (): string => {
    const character = pattern[at++] ?? "";
    if (character === "^" || character === "$") return "";
    if (character === "(") return group();
    if (character === "[") return characterClass();
    if (character === "\\") return escaped(pattern[at++] ?? "");
    return character === "." ? "a" : character;
  };
  const group = (): string => {
    const opening = /^\?(?:<[^=!>]+>|[:=!]|<[=!])/.exec(pattern.slice(at))?.[0] ?? "";
    at += opening.length;
    const inner = alternatives();
    at++;
    return /[=!]$/.test(opening) ? "" : inner;
  };
  const characterClass = (): string => {
    const [body = ""] = /^\^?\]?(?:\\.|[^\]\\])*/.exec(pattern.slice(at)) ?? [];
    at += body.length + 1;
    const accepted = compile(`^[${body}]$`);
    return [..."a1A0-_. "].find((candidate) => accepted?.test(candidate)) ?? body.replace(/^\\/, "")[0] ?? "";
  };
  const repetition = (): number => {
    const [all, least, comma, most] = /^(?:\{(\d+)(,)?(\d+)?\}|[*+?])\??/.exec(pattern.slice(at)) ?? [""];
    at += all.length;
    if (all === "") return 1;
    if (least !== undefined) return comma ? Math.min(Math.max(Number(least), count), Number(most ?? 1_000)) : Number(least);
    return all.startsWith("?") ? 0 : count;
  };
  return alternatives();
}

function escaped(character: string): string {
  const samples: Record<string, string> = { d: "1", w: "a", s: " ", S: "a", D: "a", W: "-", b: "", B: "", n: "\n", t: "\t" };
  return samples[character] ?? character;
}
