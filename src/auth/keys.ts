import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A valid API key: its owner's name and the SHA-256 hash of the key. The key itself is not stored. */
export interface ApiKey {
  name: string;
  hash: Buffer;
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** Creates a random key, and the entry for this key in ENSEMBLE_API_KEYS. */
export function createKey(name: string): { key: string; entry: string } {
  const key = `ens_${randomBytes(32).toString("base64url")}`;
  return { key, entry: `${name}:${hashOf(key).toString("hex")}` };
}

/**
 * Returns the headers that carry a key or a token. Sets both common headers, because the built-in auth and the project's own auth may read
 * different ones.
 */
export const keyHeaders = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { "x-api-key": key, authorization: `Bearer ${key}` };

/**
 * Returns the name of a key's owner, or undefined if the key is unknown. Compares every known key in constant time, so that the duration
 * reveals nothing about the keys.
 */
export function nameOfKey(keys: ApiKey[], key: string): string | undefined {
  const hash = hashOf(key);
  const matching = keys.filter((known) => timingSafeEqual(known.hash, hash));
  return matching[0]?.name;
}
