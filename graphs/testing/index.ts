/** The library `ensemble/testing`: an endpoint for tests that answers what the test wrote down. */
export { type ScriptedModel, type ScriptedReply, startScriptedModel } from "./scripted-model.ts";
