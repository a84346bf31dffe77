/** The library `ensemble/testing`. It starts an OpenAI-compatible endpoint that gives the answers of a test's script. */
export { type ScriptedModel, type ScriptedReply, startScriptedModel } from "./scripted-model.ts";
