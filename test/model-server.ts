import { type ScriptedModel, startScriptedModel } from "../graphs/testing/scripted-model.ts";
import { afterFile } from "./after-file.ts";

/** The scripted model for the time of a test file. */
export async function startModelServer(): Promise<ScriptedModel> {
  const model = await startScriptedModel();
  afterFile(() => model.close());
  return model;
}
