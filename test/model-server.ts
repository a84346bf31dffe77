import { afterFile } from "./after-file.ts";
import { type ModelServer, openModelServer } from "./scripted-model.ts";

/** The scripted model for the time of a test file. */
export async function startModelServer(): Promise<ModelServer> {
  const model = await openModelServer();
  afterFile(() => model.close());
  return model;
}
