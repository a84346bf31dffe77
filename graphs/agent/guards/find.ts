import { findSecrets } from "../find-secrets.ts";
import { withinTime } from "../within-time.ts";
import type { AnyGuard } from "./in-code.ts";
import type { Guard } from "./schema.ts";

/** A part of a text that a guard forbids. */
interface Part {
  start: number;
  end: number;
}

/** A guard that forbids parts of a text. It can replace those parts and keep the rest of the text. */
export type Finder = Extract<Guard, { kind: "pii" | "secrets" | "regex" }>;

/** Tells whether a guard forbids parts of a text. */
export const isFinder = (guard: Guard): boolean =>
  guard.kind === "pii" || guard.kind === "secrets" || (guard.kind === "regex" && guard.forbid !== undefined);

/**
 * Tells whether a guard also checks the text that a model writes beside a tool call, and the text of a tool's error. A guard on the length
 * or the form of a value does not, because it would refuse most of these texts.
 */
export const checksAsides = (guard: AnyGuard): boolean =>
  typeof guard === "function" || guard.kind === "judge" || guard.kind === "function" || isFinder(guard);

/** The time limit of a search, in milliseconds. A search that takes longer throws an error, and the searched value is then blocked. */
const searchMs = 500;

/** Returns the parts of a text that a guard forbids. */
export async function find(guard: Finder, text: string): Promise<Part[]> {
  if (guard.kind === "secrets") return findSecrets(text);
  if (guard.kind === "regex") {
    const pattern = new RegExp(guard.forbid ?? "", "g");
    return withinTime(() => [...text.matchAll(pattern)], searchMs).map(({ index, 0: { length } }) => ({
      start: index,
      end: index + length,
    }));
  }
  const detectors = await detectorsOf(guard.types);
  return withinTime(() => detectors.flatMap((detect) => detect(text)), searchMs);
}

/** Returns LangChain's detectors of personal data. */
async function detectorsOf(types: Extract<Guard, { kind: "pii" }>["types"]) {
  const { detectCreditCard, detectEmail, detectIP, detectMacAddress, detectUrl } = await import("langchain");
  const all = { email: detectEmail, credit_card: detectCreditCard, ip: detectIP, mac_address: detectMacAddress, url: detectUrl };
  return types.map((type) => all[type]);
}

/** Returns a value with the forbidden parts of all its texts replaced. */
export async function replaceIn(guard: Finder, value: unknown, by: string): Promise<unknown> {
  if (typeof value === "string") return replaceParts(value, await find(guard, value), by);
  if (Array.isArray(value)) return Promise.all(value.map((one) => replaceIn(guard, one, by)));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(async ([key, one]) => [key, await replaceIn(guard, one, by)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function replaceParts(text: string, parts: Part[], by: string): string {
  let result = "";
  let done = 0;
  for (const { start, end } of parts.toSorted((a, b) => a.start - b.start)) {
    if (start >= done) result += text.slice(done, start) + by;
    done = Math.max(done, end);
  }
  return result + text.slice(done);
}
