import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A valid API key, as its owner's name and its SHA-256. The key itself is not stored. */
export interface ApiKey {
  name: string;
  hash: Buffer;
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** Creates a random key, and the entry for it in ENSEMBLE_API_KEYS. */
export function createKey(name: string): { key: string; entry: string } {
  const key = `ens_${randomBytes(32).toString("base64url")}`;
  return { key, entry: `${name}:${hashOf(key).toString("hex")}` };
}

/**
 * Returns the headers for a key or a token. Both common headers are set, so that the built-in auth finds it, and the project's own auth
 * does as well.
 */
export const keyHeaders = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { "x-api-key": key, authorization: `Bearer ${key}` };

/**
 * Returns the name of a key's owner, or undefined if the key is unknown. Compares all keys, each in constant time, so that the duration
 * reveals nothing about the keys.
 */
export function nameOfKey(keys: ApiKey[], key: string): string | undefined {
  const hash = hashOf(key);
  const matching = keys.filter((known) => timingSafeEqual(known.hash, hash));
  return matching[0]?.name;
}
