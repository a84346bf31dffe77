import { readEnvironment } from "../startup/environment.ts";
import type { Arguments } from "./arguments.ts";

/**
 * Runs the service. Checks the settings and the project file before it loads any other module, so that a mistake in them is reported
 * immediately.
 */
export async function start({ texts }: Arguments): Promise<void> {
  adoptAddress(texts);
  const config = await readEnvironment();
  const { serve } = await import("./serve.ts");
  await serve(config);
}

/** Sets the variables of the API's address from the options `--port` and `--host`. Throws if an option is malformed. */
export function adoptAddress({ port, host }: Arguments["texts"]): void {
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) <= 65_535))
    throw new Error(`--port is "${port}"; it should be a number from 0 to 65535.`);
  if (host === "") throw new Error("--host is empty; it should be an address of this machine.");
  if (port !== undefined) process.env.PORT = port;
  if (host !== undefined) process.env.HOST = host;
}
