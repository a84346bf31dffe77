import { AgentData, asAgent, closed, type Member, Roster, stepName } from "ensemble/patterns";
import { z } from "zod";
import { Leader } from "../supervisor/leader.ts";
import { supervisor } from "../supervisor.ts";
import { reportUp } from "./report-up.ts";

const mostSquads = 12;
const mostWorkers = 12;

const fields = {
  description: z.string().optional().describe("Purpose of the squad, for the commander"),
  leader: Leader.optional().describe("Agent that plans the squad's work, reviews it and reports to the commander"),
  limits: closed({
    parallel: z.number().int().min(1).max(64).optional().describe("Workers of the squad that work in parallel"),
    failures: z.number().int().min(1).optional().describe("Failed steps after which the squad stops and escalates"),
  })
    .prefault({})
    .describe("Limits of the squad, within those of the run"),
  share: z.number().positive().default(1).describe("Share of the budget, in relation to the other squads"),
  weight: z.number().positive().default(1).describe("Priority of the squad in a contradiction about a resource"),
};

/** The schema of a squad in a run's context, with a roster of its workers. */
export const Squad = closed({ workers: Roster.max(mostWorkers).describe("Workers of the squad"), ...fields });

export const Squads = z
  .record(stepName, Squad)
  .refine((squads) => Object.keys(squads).length > 0, "there is no squad")
  .refine((squads) => Object.keys(squads).length <= mostSquads, `a hierarchy has at most ${mostSquads} squads`)
  .describe("Squads by name, each with a leader and workers");

/** A squad in the state of a run. Its roster is null if its workers are defined in code. */
export const SquadState = closed({
  ...fields,
  roster: z.array(AgentData).nullable().describe("Workers of the squad as data. Null if they are defined in code."),
  workers: z.array(z.unknown()).describe("Name, role and description of each worker, for the commander"),
});
export type SquadState = z.infer<typeof SquadState>;

/** A squad in code. Its workers can be agents, the options of agents, or compiled graphs. */
export interface SquadInCode extends Omit<z.input<typeof Squad>, "workers"> {
  workers: Member[];
}

/** The graph of a squad: a supervisor whose leader reports to the commander. */
export type SquadGraph = ReturnType<typeof supervisor>;

/** Converts the squads that are defined in code. Returns their form in the run's state, and the graph of each squad. */
export function squadsOf(squads: Record<string, SquadInCode>): { states: Record<string, SquadState>; graphs: Map<string, SquadGraph> } {
  const graphs = new Map<string, SquadGraph>();
  const states: Record<string, SquadState> = {};
  for (const [name, { workers, ...squad }] of Object.entries(squads)) {
    const agents = workers.map(asAgent);
    graphs.set(stepName.parse(name), supervisor({ agents, name }, reportUp));
    states[name] = SquadState.parse({ ...squad, roster: null, workers: agents.map(introduce) });
  }
  return { states, graphs };
}

/** Returns the squads of a run's context, converted for the state. */
export const squadStates = (squads: z.output<typeof Squads>): Record<string, SquadState> =>
  Object.fromEntries(
    Object.entries(squads).map(([name, { workers, ...squad }]) => [name, { ...squad, roster: workers, workers: workers.map(introduce) }]),
  );

const introduce = ({ name, role, description }: { name: string; role: string; description?: string }) => ({ name, role, description });

/** Returns the leader of a squad. */
export const leaderOf = (name: string, { leader }: Pick<SquadState, "leader">): Leader =>
  leader ?? Leader.parse({ name: "leader", role: `the leader of the squad "${name}"` });

/** Returns a squad as an agent with the squad's name. The supervisor's nodes treat squads as agents. */
export const asAgentData = ([name, squad]: [string, SquadState]): AgentData =>
  AgentData.parse({ name, role: leaderOf(name, squad).role, weight: squad.weight });

const worker = (name: string, role: string, subject: string) => ({
  name,
  role,
  description: `Looks at ${subject}.`,
  instructions: `Look at ${subject}. Report only what the input shows.`,
});

/** The default squads, for runs that define no squads. */
export const usualSquads: z.input<typeof Squads> = {
  functional_testing: {
    description: "Tests whether the subject does what it should.",
    workers: [
      worker("ui_tester", "a tester of user interfaces", "what a user sees and does"),
      worker("api_tester", "a tester of interfaces", "calls, their answers and their errors"),
      worker("integration_tester", "a tester of integrations", "how the parts work together"),
    ],
  },
  performance_testing: {
    description: "Tests how the subject behaves under load.",
    workers: [
      worker("load_generator", "a designer of load tests", "the load that the subject must bear"),
      worker("metric_collector", "an expert for measures", "what can be measured, and how"),
      worker("analyzer", "an analyst of performance", "what is slow or does not scale"),
    ],
  },
  security_testing: {
    description: "Tests whether the subject can be abused.",
    workers: [
      worker("vulnerability_scanner", "a scanner for vulnerabilities", "known kinds of vulnerabilities"),
      worker("penetration_tester", "a penetration tester", "how an attacker would proceed"),
      worker("dependency_auditor", "an auditor of dependencies", "what the subject depends on"),
    ],
  },
};
