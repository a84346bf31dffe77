import { afterFile } from "./after-file.ts";
import { type ModelServer, openModelServer } from "./scripted-model.ts";

/** Starts the scripted model, and closes it after the test file. */
export async function startModelServer(): Promise<ModelServer> {
  const model = await openModelServer();
  afterFile(() => model.close());
  return model;
}
