import { isObject } from "../../parts/json-schema.ts";

/**
 * Reads metadata from a JSON object, or from pairs `key=value` that are separated by commas. Returns a sentence about the problem if the
 * text is neither.
 */
export function readMetadata(text: string): { value: Record<string, unknown> } | { problem: string } | Record<string, never> {
  if (text.trim() === "") return {};
  if (text.trim().startsWith("{")) {
    const value = parse(text);
    return isObject(value) ? { value } : { problem: "This is not a JSON object yet." };
  }
  const pairs = text.split(",").map((pair) => /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(pair));
  if (pairs.some((pair) => !pair)) return { problem: "Write key=value, or a JSON object." };
  return { value: Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", parse(pair?.[2] ?? "") ?? pair?.[2]])) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
