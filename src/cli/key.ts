import { createKey } from "../auth/keys.ts";

/** Makes an API key. It is shown once; the service is told only its hash. */
export async function makeKey([name = ""]: string[]): Promise<void> {
  if (!/^[^:\s,]+$/.test(name)) throw new Error(`"${name}" cannot be the name of a key: it may have no spaces, commas and colons.`);
  const { key, entry } = createKey(name);
  console.log(
    `The key, to be sent as x-api-key (it is not shown again):\n  ${key}\nFor the service, among what ENSEMBLE_API_KEYS has already:\n  ${entry}`,
  );
}
