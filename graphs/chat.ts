import { agent, buildAgent, closed, sharedContext, tierOf, withDefaults } from "ensemble/patterns";
import { z } from "zod";

const { models, limits, budget, guardrails } = sharedContext;

const contextShape = {
  model: z.string().min(1).default(models.parse({}).worker).describe("Model that answers, as `provider:model`"),
  instructions: z.string().default("You are a helpful assistant.").describe("System prompt"),
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each model call"),
  limits,
  budget,
  guardrails,
};

/** The options of `chat`: the graph's name and description, and new defaults for the context of the runs. */
export type ChatOptions = z.input<z.ZodObject<typeof contextShape>> & { name?: string; description?: string };

/** Returns a graph that talks with a user. In a long conversation, a summary replaces the older messages. */
export function chat({ name = "chat", description, ...defaults }: ChatOptions = {}) {
  const Context = closed(withDefaults(contextShape, { ...defaults }));
  return buildAgent({
    name,
    description,
    context: Context,
    runOf: (given) => {
      const { model, instructions, timeoutSeconds, guardrails, ...rest } = Context.parse(given ?? {});
      const talker = agent({ name, role: "the assistant in a conversation", instructions, timeoutSeconds, guardrails });
      return {
        ...tierOf({ ...rest, models: models.parse({ worker: model }) }, "worker"),
        agent: talker,
        quiet: false,
        task: "answer",
        pattern: "chat",
      };
    },
  });
}

export const graph = chat();
