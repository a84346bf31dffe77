import {
  AgentData,
  AllowedHosts,
  AskTimeout,
  asAgent,
  checkNames,
  closed,
  findToolProblems,
  fromData,
  type Handing,
  Handoff,
  handedConversation,
  handingOver,
  type Member,
  patternContext,
  Termination,
} from "ensemble/patterns";
import { z } from "zod";

const Handoffs = z.array(Handoff).max(20).default([]).describe("Agents to which this agent may hand over the conversation");
const Specialist = closed({ ...AgentData.shape, handoffs: Handoffs }, findToolProblems);

const specialist = (name: string, subject: string) => ({
  name,
  role: `the specialist for ${subject}`,
  description: `Answers questions about ${subject}.`,
  instructions: "Answer what you know. Hand over what another specialist knows better.",
  handoffs: [{ to: "triage" }],
});

const usual = [
  {
    name: "triage",
    role: "the first contact",
    description: "Knows who answers which question.",
    instructions: "Answer simple questions. Hand over all others.",
    handoffs: [{ to: "billing" }, { to: "support" }],
  },
  specialist("billing", "invoices and payments"),
  specialist("support", "technical problems"),
];

const Agents = z.array(Specialist).min(1).max(20);
type OptionalAgents = z.ZodType<z.output<typeof Agents> | undefined, z.input<typeof Agents> | undefined>;

function contextFor(members: Handing[] | undefined, defaults: object) {
  const agents: OptionalAgents = members ? Agents.optional() : Agents.prefault(usual);
  const shape = {
    agents: agents.describe("Agents, each with its handoffs"),
    entry: z.string().optional().describe("Agent that gets the first message. Default: the first in the list."),
    returnTo: z
      .enum(["last", "entry"])
      .default("last")
      .describe("Agent that gets the user's next message: the one that answered last, or the entry agent"),
    maxHandoffs: z.number().int().min(0).max(100).default(10).describe("Number of handoffs in a run after which agents can only answer"),
    pack: z.boolean().default(false).describe("Whether each handoff packs the conversation so far into one message"),
    termination: Termination.prefault({ maxMessages: 50 }).describe("When a run ends if no agent answers. An upper bound is required."),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
  };
  return patternContext(shape, defaults, members, checkNames("agents", members));
}

type Context = ReturnType<typeof contextFor>;
type GivenHandoff = { to: string } & Partial<Handoff>;

/** The options of `swarm`: the agents with their handoffs, and defaults for the context of a run. */
export interface SwarmOptions extends Omit<z.input<Context>, "agents"> {
  /** The agents with their handoffs. In code, a handoff's `filter` may be a function, and the handoff's `input` may be a zod schema. */
  agents?: (Member & { handoffs?: GivenHandoff[] })[];
  name?: string;
  description?: string;
}

/** Returns the agent with its handoffs. A compiled graph has no handoffs, because it calls no tools of the pattern. */
function asHanding(member: Member & { handoffs?: GivenHandoff[] }): Handing {
  if ("invoke" in member) return { ...asAgent(member), handoffs: [] };
  const { handoffs: given = [], ...options } = member;
  const handoffs = given.map((one): Handoff => ({ filter: "all", approve: false, ...one }));
  const agent = asAgent(options);
  return { ...agent, handoffs, middleware: handoffs.length > 0 ? [...agent.middleware, ...handingOver] : agent.middleware };
}

/** Returns a graph in which agents hand the conversation over to each other. The agent that answers also gets the next message. */
export function swarm({ agents, name = "swarm", description, ...defaults }: SwarmOptions = {}) {
  const members = agents?.map(asHanding);
  const context = contextFor(members, defaults);
  const parse = (sent: unknown) => context.parse(sent ?? {});
  const fromRoster = ({ handoffs, ...data }: z.output<typeof Specialist>): Handing => ({
    ...{ ...fromData(data), handoffs },
    middleware: handoffs.length > 0 ? handingOver : [],
  });
  return handedConversation({
    ...{ name, description, pattern: "swarm", context },
    contextOf: ({ rules }, config) => parse({ ...Object(rules), ...config.context, agents: Object(rules).agents }),
    participantsOf: ({ rules }) => parse(rules).agents?.map(fromRoster) ?? members ?? [],
  });
}

export const graph = swarm();
