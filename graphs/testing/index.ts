/** The library `ensemble/testing`. It starts an OpenAI-compatible endpoint that gives the answers that a test has scripted. */
export { type ScriptedModel, type ScriptedReply, startScriptedModel } from "./scripted-model.ts";
