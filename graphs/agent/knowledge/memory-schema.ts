import { z } from "zod";
import { closed } from "../closed.ts";

/** The settings of an agent's long-term memory. The thread is its short-term memory. */
export const Memory = closed({
  tasks: z.boolean().default(false).describe("Whether the agent remembers its tasks and their outcomes, and reads those of similar tasks"),
  entities: z
    .boolean()
    .default(false)
    .describe("Whether a model call after each task notes facts about people and things, for later tasks"),
}).describe("Long-term memory of the agent, in the store");
