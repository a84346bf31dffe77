/**
 * Sets a global value by which other code in this process finds this service. Returns a function that restores the previous value, unless
 * other code has changed the value meanwhile.
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
