import { END, START, StateGraph } from "@langchain/langgraph";
import {
  type Agent,
  AgentData,
  AllowedHosts,
  AskTimeout,
  asAgent,
  checkNames,
  type Facts,
  fromData,
  guarded,
  type Member,
  measured,
  mostSuperSteps,
  patternContext,
  Roster,
} from "ensemble/patterns";
import { z } from "zod";
import { askTopology, assess, begin, conclude, planTasks } from "./team/lead.ts";
import { usualLead } from "./team/prompts.ts";
import { askAboutFailures, settle } from "./team/settle.ts";
import { type Config, Input, Output, type Setup, State, type Team } from "./team/state.ts";
import { whyStuck } from "./team/tasks.ts";
import { endingTurns } from "./team/tools.ts";
import { sendTurns, work } from "./team/work.ts";

const usual = [
  { name: "researcher", role: "a researcher", description: "Finds out what is known." },
  { name: "maker", role: "a maker", description: "Makes what was asked for." },
  { name: "reviewer", role: "a reviewer", description: "Finds errors and gaps." },
];

type OptionalRoster = z.ZodType<z.output<typeof Roster> | undefined, z.input<typeof Roster> | undefined>;

function contextFor(members: Agent[] | undefined, defaults: object) {
  const roster: OptionalRoster = members ? Roster.max(16).optional() : Roster.max(16).prefault(usual);
  const shape = {
    members: roster.describe("Members of the team"),
    lead: AgentData.optional().describe("Agent that plans the tasks and answers"),
    delegateOnly: z.boolean().default(true).describe("Whether the lead does no task itself"),
    topology: z
      .enum(["auto", "star", "mesh"])
      .default("auto")
      .describe("star: members work alone. mesh: they claim tasks and write to each other. auto: a judge decides."),
    onUnclear: z.enum(["star", "ask"]).default("star").describe("If the judge is undecided: take a star, or ask a person"),
    onFailures: z
      .enum(["ask", "partial"])
      .default("ask")
      .describe("After too many failed tasks: ask a person, or answer from what was completed"),
    maxBroadcasts: z.number().int().min(0).max(100).default(5).describe("Messages to all members in a run"),
    maxRounds: z.number().int().min(1).max(100).default(20).describe("Rounds of work, after which the lead answers from what there is"),
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the lead and the judge"),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
  };
  return patternContext(shape, defaults, members, checkNames("members", members));
}

type Context = ReturnType<typeof contextFor>;

/** The options of `team`: the members, the lead, and defaults for the context of a run. */
export interface TeamOptions extends Omit<z.input<Context>, "members" | "lead"> {
  members?: Member[];
  lead?: Member;
  name?: string;
  description?: string;
}

/**
 * Adds the team's middleware to a member that has middleware of its own. Call this once for each member, before the first run. The graph of
 * an agent is cached under its list of middleware, so a new list in each run would build the graph again.
 */
function asTeamMember(member: Member): Agent {
  const agent = asAgent(member);
  return agent.middleware.length === 0 ? agent : { ...agent, middleware: [...agent.middleware, ...endingTurns] };
}

function setUp(members: Agent[] | undefined, lead: Agent, context: Context): Setup {
  const parse = (sent: unknown) => context.parse(sent ?? {});
  const leadOf: Setup["leadOf"] = ({ rules }) => {
    const { lead: given } = parse(rules);
    return given ? fromData(given) : lead;
  };
  return {
    contextOf: ({ rules }, config) =>
      parse({ ...Object(rules), ...config.context, members: Object(rules).members, lead: Object(rules).lead }),
    leadOf,
    membersOf({ rules }) {
      const { members: given, delegateOnly } = parse(rules);
      return [...(given?.map(fromData) ?? members ?? []), ...(delegateOnly ? [] : [leadOf({ rules })])];
    },
  };
}

/**
 * Returns the facts of a run for its metrics. The number of deadlocks is 1 if the members waited for each other at the end, and otherwise
 * 0. A task lasts from the start of its first turn to the end of its last one.
 */
function factsOf({ stopped, tasks, times }: Team): Facts {
  const pieces = tasks.flatMap(({ id, blockedBy: needs }) => {
    const own = times.filter(({ task }) => task === id);
    const span = { startedAt: Math.min(...own.map((one) => one.startedAt)), endedAt: Math.max(...own.map((one) => one.endedAt)) };
    return own.length > 0 ? [{ id, needs, span }] : [];
  });
  return { pieces, deadlocks: Number(stopped === "deadlock") };
}

const afterBegin = ({ topology }: Team) => (topology === null ? "assess" : "planTasks");
const afterAssess = ({ topology }: Team) => (topology === null ? "askTopology" : "planTasks");

/**
 * Returns a graph in which a team works on a shared list of tasks. In a star, members work alone. In a mesh, they claim tasks and write to
 * each other.
 */
export function team({ members: given, lead, name = "team", description, ...defaults }: TeamOptions = {}) {
  const members = given?.map(asTeamMember);
  const context = contextFor(members, defaults);
  const setup = setUp(members, lead ? asAgent(lead) : usualLead, context);
  const next = (state: Team, config: Config) =>
    state.stopped !== null || whyStuck(state.tasks).length === 0 ? "conclude" : sendTurns(setup, state, config);
  const afterSettle = (state: Team, config: Config) =>
    state.stopped === "failures" && setup.contextOf(state, config).onFailures === "ask" ? "askAboutFailures" : next(state, config);
  return measured(
    guarded(
      new StateGraph({ state: State, input: Input, output: Output, context })
        .addNode("begin", begin(setup))
        .addNode("assess", assess(setup))
        .addNode("askTopology", askTopology(setup))
        .addNode("planTasks", planTasks(setup))
        .addNode("work", work(setup))
        .addNode("settle", settle(setup))
        .addNode("askAboutFailures", askAboutFailures(setup))
        .addNode("conclude", conclude(setup))
        .addEdge(START, "begin")
        .addConditionalEdges("begin", afterBegin, ["assess", "planTasks"])
        .addConditionalEdges("assess", afterAssess, ["askTopology", "planTasks"])
        .addEdge("askTopology", "planTasks")
        .addConditionalEdges("planTasks", next, ["work", "conclude"])
        .addEdge("work", "settle")
        .addConditionalEdges("settle", afterSettle, ["work", "askAboutFailures", "conclude"])
        .addConditionalEdges("askAboutFailures", next, ["work", "conclude"])
        .addEdge("conclude", END)
        .compile({ name, ...(description && { description }) }),
    ),
    factsOf,
  ).withConfig({ recursionLimit: mostSuperSteps });
}

export const graph = team();
