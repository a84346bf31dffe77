/**
 * Sets a global by which foreign code in this process finds us. The returned function restores the previous value, unless somebody else
 * has set it meanwhile.
 */
export function setGlobal(key: symbol, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, key);
  Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  return () => {
    if (Reflect.get(globalThis, key) !== value) return;
    Reflect.deleteProperty(globalThis, key);
    if (before) Object.defineProperty(globalThis, key, before);
  };
}
