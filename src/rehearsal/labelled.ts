import { type Material, nameKey } from "./material.ts";
import { nameWords, type Place } from "./place.ts";
import { allWords } from "./words.ts";

/** Returns the value that the prompt gives for this field: `city: Paris`, `the city is Paris`, or JSON with that key. */
export function readLabelled(place: Place, material: Material): string | number | boolean | undefined {
  const words = allWords(place.name);
  if (nameWords(place).length === 0) return undefined;
  const label = words.join("[ _-]?");
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])${label}(?![\\p{L}\\p{N}])["'*]*\\s*(?::|=|\\bis\\b|\\bare\\b)\\s*["'*]*([^"'*\\n,;]{1,200})`,
    "iu",
  );
  const found = [place.about, material.text].map((text) => pattern.exec(text)?.[1]).find((value) => value?.trim());
  const value = found?.replace(/[.!?)\]}]+(?:\s.*)?$/, "").trim();
  return value || material.values.get(nameKey(place.name))?.[0];
}

/** Returns a number next to the field's words: "age 36", "36 items". */
export function numberBeside(place: Place, text: string): number | undefined {
  const words = allWords(place.name).filter((word) => word.length > 1);
  if (words.length === 0) return undefined;
  const label = words.map((word) => word.replace(/s$/, "")).join("[ _-]?");
  const after = new RegExp(
    `(?<![\\p{L}\\p{N}])${label}s?(?![\\p{L}\\p{N}])[^\\p{L}\\p{N}\\n-]{0,3}(?:(?:is|of|are|at|to|be|exactly|about)\\s+)*(-?\\d+(?:\\.\\d+)?)`,
    "iu",
  );
  const before = new RegExp(`(?<![\\p{L}\\p{N}.])(-?\\d+(?:\\.\\d+)?)\\s+${label}s?(?![\\p{L}\\p{N}])`, "iu");
  const found = after.exec(text)?.[1] ?? before.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

const numerals = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** Returns how many elements the text asks for: "three ideas", "exactly 5 steps". */
export function countOf(name: string, text: string): number | undefined {
  const noun = allWords(name)
    .at(-1)
    ?.replace(/(?:ies|s)$/, "");
  if (!noun || noun.length < 2) return undefined;
  const found = new RegExp(`\\b(\\d{1,3}|${numerals.slice(1).join("|")})\\s+(?:[\\p{L}-]+\\s+){0,2}?${noun}`, "iu").exec(text)?.[1];
  if (found === undefined) return undefined;
  const spoken = numerals.indexOf(found.toLowerCase());
  return spoken > 0 ? spoken : Number(found);
}
