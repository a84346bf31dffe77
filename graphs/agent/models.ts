import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { initChatModel, MODEL_PROVIDER_CONFIG } from "langchain/chat_models/universal";

/** The error for a model that cannot be opened. The call is never retried, because a retry would fail in the same way. */
export class UnknownModel extends Error {
  override name = "UnknownModelError";
}

/**
 * Returns the chat model with the name `provider:model`. If the name has no known provider, the model is requested from the
 * OpenAI-compatible endpoint.
 */
export async function openModel(name: string | BaseChatModel, temperature?: number): Promise<BaseChatModel> {
  if (typeof name !== "string") return name;
  const { provider, model } = splitName(name);
  try {
    const opened = await initChatModel(model, {
      modelProvider: provider,
      configurableFields: [], // by default, `model` in a caller's `configurable` would replace the model
      maxRetries: 0, // call-model.ts makes the retries, because it counts them and can cancel them
      ...(provider === "openai" && { streamUsage: true }),
      ...(temperature !== undefined && { temperature }), // left out if unset, because gpt-5 models accept only their default temperature
    });
    return await instanceOf(opened);
  } catch (error) {
    throw new UnknownModel(explain(name, provider, error as Error), { cause: error });
  }
}

function splitName(name: string): { provider: string; model: string } {
  const colon = name.indexOf(":");
  const prefix = name.slice(0, Math.max(0, colon));
  // The provider is always given, because initChatModel would otherwise guess it from the model's name.
  return prefix in MODEL_PROVIDER_CONFIG ? { provider: prefix, model: name.slice(colon + 1) } : { provider: "openai", model: name };
}

/** Returns the provider's own model object. initChatModel returns a wrapper, which would read `configurable` again in each call. */
async function instanceOf(model: object): Promise<BaseChatModel> {
  const { _getModelInstance: open } = model as { _getModelInstance?: () => Promise<BaseChatModel> };
  return open ? open.call(model) : (model as BaseChatModel);
}

function explain(name: string, provider: string, error: Error): string {
  const config = MODEL_PROVIDER_CONFIG[provider as keyof typeof MODEL_PROVIDER_CONFIG];
  if (!/unable to import|cannot find (package|module)/i.test(`${error.message} ${Object(error.cause).message}`)) {
    return `The model "${name}" cannot be used: ${error.message}`;
  }
  return `The model "${name}" needs the package ${config.package}, which is not installed. Install it in your project: npm install ${config.package}`;
}
