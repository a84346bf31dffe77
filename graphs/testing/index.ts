/** The library `ensemble/testing`. It starts an OpenAI-compatible endpoint that answers as a test has scripted. */
export { type ScriptedModel, type ScriptedReply, startScriptedModel } from "./scripted-model.ts";
