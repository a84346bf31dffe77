import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** An API key that may be used: whose it is, and the SHA-256 of it. The key itself is nowhere. */
export interface ApiKey {
  name: string;
  hash: Buffer;
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

/** A key that nobody can guess, and how the service is told of it. */
export function createKey(name: string): { key: string; entry: string } {
  const key = `ens_${randomBytes(32).toString("base64url")}`;
  return { key, entry: `${name}:${hashOf(key).toString("hex")}` };
}

/** How a caller shows a key or a token, in the header where either kind of auth looks. */
export const keyHeaders = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { "x-api-key": key, authorization: `Bearer ${key}` };

/** Whose key this is. All are compared, each in constant time: how long it takes says nothing. */
export function nameOfKey(keys: ApiKey[], key: string): string | undefined {
  const hash = hashOf(key);
  const matching = keys.filter((known) => timingSafeEqual(known.hash, hash));
  return matching[0]?.name;
}
