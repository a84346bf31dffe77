import { afterAll } from "vitest";
import { type ModelServer, openModelServer } from "./scripted-model.ts";

/** The scripted model for the time of a test file. */
export async function startModelServer(): Promise<ModelServer> {
  const model = await openModelServer();
  afterAll(() => model.close());
  return model;
}
