/** Returns the value at a path of keys and indexes, separated by dots. Returns undefined if the path does not exist. */
export function valueAt(values: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string, unknown>)[key];
  }, values);
}

/** Returns a copy of the values with a new value at a path that exists. */
export function withValueAt(values: unknown, path: string, value: unknown): unknown {
  const copy = structuredClone(values);
  const keys = path.split(".");
  const holder = keys.length > 1 ? valueAt(copy, keys.slice(0, -1).join(".")) : copy;
  Object.assign(holder as object, { [keys.at(-1) as string]: value });
  return copy;
}
