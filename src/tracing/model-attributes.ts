import type { LLMResult } from "@langchain/core/outputs";
import type { Attributes } from "@opentelemetry/api";
import { z } from "zod";

const Metadata = z.looseObject({ ls_provider: z.string().optional(), ls_model_name: z.string().optional() }).catch({});
const Extra = z
  .looseObject({ invocation_params: z.looseObject({ model: z.string().optional(), temperature: z.number().nullish() }).optional() })
  .catch({});
const Answer = z
  .looseObject({
    message: z.looseObject({
      usage_metadata: z.looseObject({ input_tokens: z.number().optional(), output_tokens: z.number().optional() }).optional(),
      response_metadata: z.looseObject({ model_name: z.string().optional(), finish_reason: z.string().optional() }).optional(),
    }),
  })
  .optional()
  .catch(undefined);

/**
 * Returns the name and the attributes of a model call's span, according to OpenTelemetry's conventions for generative AI. The attributes
 * contain the prompts only if `withContent` is set.
 */
export function modelRequest(
  prompts: unknown,
  extra: unknown,
  metadata: unknown,
  withContent: boolean,
): { name: string; attributes: Attributes } {
  const { ls_provider: provider, ls_model_name: named } = Metadata.parse(metadata);
  const { invocation_params: given } = Extra.parse(extra);
  const model = named ?? given?.model;
  return {
    name: model ? `chat ${model}` : "chat",
    attributes: {
      "gen_ai.operation.name": "chat",
      ...(provider && { "gen_ai.provider.name": provider }),
      ...(model && { "gen_ai.request.model": model }),
      ...(typeof given?.temperature === "number" && { "gen_ai.request.temperature": given.temperature }),
      ...(withContent && { "gen_ai.input.messages": JSON.stringify(prompts) }),
    },
  };
}

/** Returns the span attributes for a model's response. They contain the response's text only if `withContent` is set. */
export function modelAnswer({ generations }: LLMResult, withContent: boolean): Attributes {
  const message = Answer.parse(generations[0]?.[0])?.message;
  const { input_tokens: input, output_tokens: output } = message?.usage_metadata ?? {};
  const { model_name: model, finish_reason: reason } = message?.response_metadata ?? {};
  return {
    ...(input !== undefined && { "gen_ai.usage.input_tokens": input }),
    ...(output !== undefined && { "gen_ai.usage.output_tokens": output }),
    ...(model && { "gen_ai.response.model": model }),
    ...(reason && { "gen_ai.response.finish_reasons": [reason] }),
    ...(withContent && { "gen_ai.output.messages": JSON.stringify(generations) }),
  };
}
