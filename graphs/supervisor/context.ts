import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import { z } from "zod";
import { Roster } from "../kit/agent.ts";
import { AskTimeout } from "../kit/ask-human.ts";
import { Strategy } from "../kit/conflicts.ts";
import { Cache, sharedContext } from "../kit/context.ts";

const reviewer = (name: string, subject: string) => ({
  name,
  role: `a ${name} reviewer`,
  instructions: `Look for ${subject}. Report only what the input shows.`,
});

export const Context = z.object({
  ...sharedContext,
  roster: Roster.prefault([
    reviewer("security", "ways in which the subject can be abused"),
    reviewer("performance", "what is slow or does not scale"),
    reviewer("quality", "errors, gaps and what is hard to maintain"),
    reviewer("architecture", "how the parts are cut and what they know of each other"),
  ]),
  cache: Cache,
  conflicts: Strategy.default("confidence").describe("Strategy for contradicting recommendations"),
  onFailures: z.enum(["ask", "partial"]).default("ask").describe("After too many failures: ask a person, or continue with partial results"),
  askTimeoutSeconds: AskTimeout,
  timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the judge"),
});

export type Config = LangGraphRunnableConfig<z.input<typeof Context>>;

export const contextOf = (config: Config) => Context.parse(config.context ?? {});
