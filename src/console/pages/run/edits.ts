/** Returns the JSON object in a text. If the text is not a JSON object, throws an error with a sentence for a person. */
export function objectIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("Write a JSON object, such as {}.");
  return value as Record<string, unknown>;
}

/** Returns the entries of an edited object that differ from the original object. */
export function changedKeys(before: unknown, edited: Record<string, unknown>): Record<string, unknown> {
  const old = (before ?? {}) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(edited).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key])));
}
