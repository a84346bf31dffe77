import {
  AllowedHosts,
  AskTimeout,
  asExpert,
  checkExperts,
  deliberation,
  Expert,
  fromData,
  type PanelMember,
  patternContext,
  Threshold,
} from "ensemble/patterns";
import { z } from "zod";

const debater = (name: string, role: string) => ({ name, role, instructions: "Argue with reasons that can be checked." });
const usual = [
  debater("proponent", "an advocate of change"),
  debater("opponent", "an advocate of what is proven"),
  debater("pragmatist", "a pragmatist who looks at effort and benefit"),
];

const Experts = z.array(Expert).min(2).max(8);
type OptionalExperts = z.ZodType<z.output<typeof Experts> | undefined, z.input<typeof Experts> | undefined>;

function contextFor(members: ReturnType<typeof asExpert>[] | undefined, defaults: object) {
  const experts: OptionalExperts = members ? Experts.optional() : Experts.prefault(usual);
  const shape = {
    experts: experts.describe("Debaters, from two to eight, with different roles"),
    rounds: z.number().int().min(1).max(5).default(3).describe("Rounds in which the debaters answer each other"),
    named: z.boolean().default(false).describe("Whether debaters see who holds which position"),
    threshold: Threshold,
    quorum: z
      .number()
      .gt(0)
      .max(1)
      .default(2 / 3)
      .describe("Share of the debaters that must make a first statement"),
    ruling: z
      .enum(["judge", "vote", "human"])
      .default("judge")
      .describe("If no consensus is reached: let a judge decide, count votes, or ask a person"),
    tieBreak: z.string().optional().describe("Debater whose vote decides a tie. An even number of voters needs one."),
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the judge and the chair"),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
  };
  return patternContext(shape, defaults, members, checkExperts(members));
}

type Context = ReturnType<typeof contextFor>;

/** The options of `debate`: the debaters, and new defaults for the context of the runs. */
export interface DebateOptions extends Omit<z.input<Context>, "experts"> {
  experts?: PanelMember[];
  name?: string;
  description?: string;
}

/**
 * Returns a graph in which experts answer a question. In rounds, they read each other's arguments and keep, amend or concede their
 * positions.
 */
export function debate({ experts, name = "debate", description, ...defaults }: DebateOptions = {}) {
  const members = experts?.map(asExpert);
  const context = contextFor(members, defaults);
  const parse = (sent: unknown) => context.parse(sent ?? {});
  return deliberation({
    ...{ name, description, pattern: "debate", context },
    contextOf: ({ rules }, config) => ({
      ...{ status: false, redBlocks: false },
      ...parse({ ...Object(rules), ...config.context, experts: Object(rules).experts }),
    }),
    expertsOf: ({ rules }) => parse(rules).experts?.map(({ veto, ...data }) => ({ ...fromData(data), veto })) ?? members ?? [],
    output: [
      ...(["result", "decision", "decidedBy", "consensus", "agreement", "confidence", "reasoning", "blockedBy", "stopped"] as const),
      ...(["rounds", "moves", "camps", "dissent", "agreedPoints", "disagreements", "gaps", "messages", "ledger", "metrics"] as const),
    ],
  });
}

export const graph = debate();
