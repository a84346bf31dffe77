import type { LangGraphRunnableConfig } from "@langchain/langgraph";
import {
  type Agent,
  type AgentData,
  AllowedHosts,
  AskTimeout,
  asAgent,
  Cache,
  type Member,
  patternContext,
  Roster,
} from "ensemble/patterns";
import { z } from "zod";
import { Strategy } from "./conflicts.ts";
import { Leader } from "./leader.ts";
import { isNodeName } from "./state.ts";

const reviewer = (name: string, subject: string) => ({
  name,
  role: `a ${name} reviewer`,
  description: `Looks for ${subject}.`,
  instructions: `Look for ${subject}. Report only what the input shows.`,
});

const reviewers = [
  reviewer("security", "ways in which the subject can be abused"),
  reviewer("performance", "what is slow or does not scale"),
  reviewer("quality", "errors, gaps and what is hard to maintain"),
  reviewer("architecture", "how the parts are cut and what they know of each other"),
];

type OptionalRoster = z.ZodType<AgentData[] | undefined, z.input<typeof Roster> | undefined>;

function contextFor(agents: Agent[] | undefined, defaults: object) {
  const roster: OptionalRoster = agents ? Roster.optional() : Roster.prefault(reviewers);
  const shape = {
    roster: roster.describe("Agents that can be given work"),
    leader: Leader.optional(),
    cache: Cache,
    conflicts: Strategy.default("confidence").describe(
      "Strategy for contradicting recommendations. Contradictions about a resource go by the agents' weights, and those about a strategy to a person.",
    ),
    onFailures: z
      .enum(["ask", "partial"])
      .default("ask")
      .describe(
        "After too many failures: ask a person, or continue with partial results. `partial` also says that nobody attends the run, so nobody is asked about strategies.",
      ),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the judge"),
  };
  return patternContext(shape, defaults, agents);
}

type Context = ReturnType<typeof contextFor>;
export type ContextInput = z.input<Context>;
export type Config = LangGraphRunnableConfig;

/** The options of `supervisor`: the agents, and defaults for the context of a run. */
export interface SupervisorOptions extends Omit<ContextInput, "roster"> {
  /** The agents of the team. Default: the four reviewers. The `roster` of a run's context replaces them. */
  agents?: Member[];
  name?: string;
  description?: string;
}

/** The values that all nodes share: the agents from the code, and access to the context of the run. */
export interface Setup {
  agents: Agent[];
  /** The names of the agents that have a node of their own in the graph. */
  nodes: string[];
  contextOf(config: Config): z.output<Context>;
}

export function setUp(members: SupervisorOptions["agents"], defaults: object): Setup & { context: Context } {
  const agents = members?.map(asAgent);
  const names = agents?.map(({ name }) => name) ?? [];
  const twin = names.find((name, index) => names.indexOf(name) < index);
  if (twin !== undefined) throw new Error(`There are two agents named "${twin}".`);
  const context = contextFor(agents, defaults);
  return { agents: agents ?? [], nodes: names.filter(isNodeName), context, contextOf: (config) => context.parse(config.context ?? {}) };
}
