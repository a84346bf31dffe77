import { AllowedHosts, AskTimeout, type Budget, patternContext, priceOf } from "ensemble/patterns";
import { z } from "zod";
import { setUp as setUpTeam, type Setup as Team } from "../supervisor/context.ts";
import { Leader } from "../supervisor/leader.ts";
import { usualCommander } from "./prompts.ts";
import { type SquadGraph, type SquadInCode, type SquadState, Squads, squadStates, squadsOf, usualSquads } from "./squads.ts";
import type { Config } from "./state.ts";

type OptionalSquads = z.ZodType<z.output<typeof Squads> | undefined, z.input<typeof Squads> | undefined>;

function contextFor(isInCode: boolean, defaults: object) {
  const squads: OptionalSquads = isInCode ? Squads.optional() : Squads.prefault(usualSquads);
  const shape = {
    commander: Leader.prefault(usualCommander).describe("Agent that gives objectives to the squads, decides after each wave, and reports"),
    squads: squads.describe("Squads by name, each with a leader and workers"),
    onFailures: z
      .enum(["ask", "partial"])
      .default("ask")
      .describe("After too many failed objectives, and if the commander has a question: ask a person, or continue without asking"),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the commander and the leaders"),
  };
  return patternContext(shape, defaults, [], unpriced);
}

/** Returns a problem for each model of the squads that has no known price. Only a budget with a limit in dollars needs these prices. */
function unpriced(values: Record<string, unknown>) {
  const { squads, budget } = values as { squads?: z.output<typeof Squads>; budget?: Budget };
  if (!squads || budget?.dollars === undefined) return [];
  const models = Object.values(squads).flatMap(({ leader, workers }) => [leader?.model, ...workers.map(({ model }) => model)]);
  const named = [...new Set(models)].filter((model) => model !== undefined);
  const unknown = named.filter((model) => !priceOf(model, model, budget));
  return unknown.map((model) => ({ path: ["budget", "dollars"], message: `the model "${model}" of a squad has no price` }));
}

type Context = ReturnType<typeof contextFor>;

/** The options of `hierarchy`: the squads, and defaults for the context of a run. */
export interface HierarchyOptions extends Omit<z.input<Context>, "squads"> {
  /** The squads, by name. Default: three squads of testers. The `squads` of a run's context replace them. */
  squads?: Record<string, SquadInCode>;
  name?: string;
  description?: string;
}

/**
 * The values that the nodes share: the squads that are defined in code, access to the run's context, and the setup of the supervisor's
 * nodes.
 */
export interface Setup {
  graphs: Map<string, SquadGraph>;
  team: Team;
  contextOf(config: Config): z.output<Context>;
  squadsOf(config: Config): Record<string, SquadState>;
}

export function setUp(squads: HierarchyOptions["squads"], defaults: object): Setup & { context: Context } {
  const { states, graphs } = squadsOf(squads ?? {});
  const context = contextFor(squads !== undefined, defaults);
  const contextOf = (config: Config) => context.parse(config.context ?? {});
  const { context: ofTeam } = setUpTeam(undefined, {});
  return {
    ...{ graphs, context, contextOf },
    squadsOf(config) {
      const { squads: sent } = contextOf(config);
      return sent ? squadStates(sent) : states;
    },
    team: {
      agents: [],
      nodes: [],
      contextOf(config) {
        const { squads: _, commander: leader, ...shared } = contextOf(config);
        return ofTeam.parse({ ...shared, leader, conflicts: "arbitration" });
      },
    },
  };
}
