import type { z } from "zod";
import type { AgentCall } from "../kit/agent.ts";
import { wide } from "../kit/context.ts";
import { type Config, contextOf } from "./context.ts";

const judge = {
  name: "supervisor",
  role: "the supervisor of a team",
  instructions: "Plan, judge and decide. Invent nothing.",
  weight: 1,
  retries: 2,
};

/** Returns the options that all questions to the judge share. */
export function judging(config: Config, task: string, input?: unknown): Omit<AgentCall<z.ZodType>, "answer"> {
  const { models, budget, limits, timeoutSeconds } = contextOf(config);
  const { judge: model, temperature } = models;
  return { agent: { ...judge, timeoutSeconds }, model, temperature, task, input, limits: wide(limits), budget };
}
