import { mayHoldSecret, settings } from "../settings.ts";
import { readEnvironment } from "../startup/environment.ts";

/**
 * Prints each environment variable that the service reads, with its value in this process or else its default. Hides values that may hold a
 * secret.
 */
export async function printConfig(): Promise<void> {
  await readEnvironment();
  for (const [name, schema] of Object.entries(settings)) {
    const given = process.env[name];
    const value = given ? (mayHoldSecret(name) ? "(set)" : given) : defaultOf(schema);
    console.log(`${name.padEnd(34)} ${value.padEnd(18)} ${schema.description}`);
  }
}

/** Returns the default of a setting as text, or "-" if the setting has no default. */
export function defaultOf(schema: (typeof settings)[keyof typeof settings]): string {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined ? String(parsed.data) : "-";
}
