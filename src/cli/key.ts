import { createKey } from "../auth/keys.ts";

/** Creates an API key and prints it, together with its hash. The service stores only the hash, so the key cannot be shown again. */
export async function makeKey([name = ""]: string[]): Promise<void> {
  if (!/^[^:\s,]+$/.test(name)) throw new Error(`"${name}" cannot be the name of a key: use no spaces, commas or colons.`);
  const { key, entry } = createKey(name);
  console.log(
    `The key, which clients send as x-api-key (it is not shown again):\n  ${key}\nThe entry to add to ENSEMBLE_API_KEYS:\n  ${entry}`,
  );
}
