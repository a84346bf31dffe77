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

const expert = (name: string, field: string) => ({
  name,
  role: `an expert for ${field}`,
  instructions: `Judge ${field} only. Give reasons that can be checked.`,
});
const usual = [expert("feasibility", "what can be built"), expert("value", "what it is worth"), expert("risk", "what can go wrong")];

const Experts = z.array(Expert).min(3).max(8);
type OptionalExperts = z.ZodType<z.output<typeof Experts> | undefined, z.input<typeof Experts> | undefined>;

function contextFor(members: ReturnType<typeof asExpert>[] | undefined, defaults: object) {
  const experts: OptionalExperts = members ? Experts.optional() : Experts.prefault(usual);
  const shape = {
    experts: experts.describe("Experts, from three to eight, with different roles"),
    threshold: Threshold,
    quorum: z
      .number()
      .gt(0)
      .max(1)
      .default(2 / 3)
      .describe("Share of the experts that must answer"),
    onSplit: z
      .enum(["arbitrate", "vote", "debate", "human"])
      .default("arbitrate")
      .describe("If no consensus is reached: let the judge decide, count votes, debate in rounds, or ask a person"),
    tieBreak: z.string().optional().describe("Expert whose vote decides a tie. An even number of voters needs one."),
    rounds: z.number().int().min(1).max(5).default(3).describe("Rounds of a debate, after which the judge decides"),
    named: z.boolean().default(false).describe("Whether experts see who holds which position in a debate"),
    status: z.boolean().default(false).describe("Whether each expert gives its field the status green, yellow or red"),
    redBlocks: z.boolean().default(false).describe("Whether a red status blocks the decision, as a veto does"),
    timeoutSeconds: z.number().positive().max(3_600).default(60).describe("Timeout of each call of the judge and the chair"),
    askTimeoutSeconds: AskTimeout,
    allowedHosts: AllowedHosts,
  };
  return patternContext(shape, defaults, members, checkExperts(members));
}

type Context = ReturnType<typeof contextFor>;

/** The options of `panel`: the experts, and defaults for the context of a run. */
export interface PanelOptions extends Omit<z.input<Context>, "experts"> {
  experts?: PanelMember[];
  name?: string;
  description?: string;
}

const rulings = { arbitrate: "judge", vote: "vote", debate: "judge", human: "human" } as const;

/** Returns a graph in which experts answer one question independently. Code then computes whether they agree. */
export function panel({ experts, name = "panel", description, ...defaults }: PanelOptions = {}) {
  const members = experts?.map(asExpert);
  const context = contextFor(members, defaults);
  const parse = (sent: unknown) => context.parse(sent ?? {});
  return deliberation({
    ...{ name, description, pattern: "panel", context },
    contextOf({ rules }, config) {
      const { onSplit, rounds, ...given } = parse({ ...Object(rules), ...config.context, experts: Object(rules).experts });
      return { ...given, rounds: onSplit === "debate" ? rounds : 0, ruling: rulings[onSplit] };
    },
    expertsOf: ({ rules }) => parse(rules).experts?.map(({ veto, ...data }) => ({ ...fromData(data), veto })) ?? members ?? [],
    output: [
      ...(["result", "decision", "decidedBy", "consensus", "agreement", "confidence", "reasoning", "blockedBy", "views", "camps"] as const),
      ...(["dissent", "agreedPoints", "disagreements", "moves", "gaps", "messages", "ledger", "metrics"] as const),
    ],
  });
}

export const graph = panel();
