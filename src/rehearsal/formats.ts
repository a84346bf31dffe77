import { datesIn, emailsIn, momentsIn, urlsIn } from "./extract.ts";
import type { Filling, Place } from "./place.ts";
import { allWords, fractionOf } from "./words.ts";

/** Returns a text in the given format. It prefers an unused one from the prompt, and otherwise makes one up from the place. */
export function fillFormat(format: string, place: Place, { material, used }: Filling): string | undefined {
  const kind = formats[format];
  if (!kind) return undefined;
  const found = [...(kind.find?.(place.about) ?? []), ...(kind.find?.(material.text) ?? [])];
  return found.find((text) => !used.has(text)) ?? found[0] ?? kind.make(`${place.path} ${place.index} ${place.about}`);
}

interface Format {
  find?: (text: string) => string[];
  make: (seed: string) => string;
}

const hex = (seed: string, length: number): string =>
  Array.from({ length }, (_, index) => Math.floor(fractionOf(`${seed} ${index} ${seed}`) * 16).toString(16)).join("");
const byte = (seed: string, index: number): number => 1 + Math.floor(fractionOf(`${seed} ${index}`) * 254);
const word = (seed: string): string => allWords(seed).findLast((candidate) => /^[a-z]+$/.test(candidate)) ?? "example";
const day = (seed: string): string => `2025-0${1 + Math.floor(fractionOf(seed) * 9)}-1${Math.floor(fractionOf(`${seed} day`) * 10)}`;
const url: Format = { find: urlsIn, make: (seed) => `https://example.com/${word(seed)}` };

const formats: Record<string, Format> = {
  "date-time": { find: momentsIn, make: (seed) => `${day(seed)}T12:00:00Z` },
  date: { find: datesIn, make: day },
  time: { find: (text) => text.match(/\b\d{2}:\d{2}:\d{2}\b/g) ?? [], make: () => "12:00:00Z" },
  duration: { make: (seed) => `PT${byte(seed, 0)}M` },
  email: { find: emailsIn, make: (seed) => `${word(seed)}@example.com` },
  uri: url,
  url,
  "uri-reference": url,
  hostname: { make: (seed) => `${word(seed)}.example.com` },
  ipv4: {
    find: (text) => text.match(/\b(?:\d{1,3}\.){3}\d{1,3}\b/g) ?? [],
    make: (seed) => `10.${byte(seed, 1)}.${byte(seed, 2)}.${byte(seed, 3)}`,
  },
  ipv6: { make: (seed) => `fd00::${hex(seed, 4)}` },
  uuid: {
    find: (text) => text.match(/\b[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/gi) ?? [],
    make: (seed) => `${hex(seed, 8)}-${hex(`${seed} b`, 4)}-4${hex(`${seed} c`, 3)}-a${hex(`${seed} d`, 3)}-${hex(`${seed} e`, 12)}`,
  },
};
