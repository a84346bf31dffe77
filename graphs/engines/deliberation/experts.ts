import { asAgent, type Member } from "../../agent/agent.ts";
import type { Problem } from "../../agent/closed.ts";
import type { Expert } from "./state.ts";

type Named = { name: string; role: string }[];
/**
 * Returns a function that checks the experts in a run's context. Names and roles must be unique. For a vote, the number of experts must be
 * odd, or `tieBreak` must name an expert.
 */
export function checkExperts(members: Expert[] | undefined): (values: Record<string, unknown>) => Problem[] {
  for (const { path, message } of members ? twinsIn(members) : []) throw new Error(`${path.join(".")}: ${message}`);
  return ({ experts: sent, ruling, onSplit, tieBreak }) => {
    const experts = (sent ?? members) as Named | undefined;
    if (!experts) return []; // the list of experts is invalid, and its own schema reports that
    const isVote = ruling === "vote" || onSplit === "vote";
    return [...twinsIn(experts), ...(isVote ? tieProblems(experts, tieBreak as string | undefined) : [])];
  };
}

function twinsIn(experts: Named): Problem[] {
  const seen = (key: "name" | "role", index: number) =>
    experts.slice(0, index).some((one) => one[key].trim().toLowerCase() === experts[index]?.[key].trim().toLowerCase());
  return experts.flatMap(({ name, role }, index) => [
    ...(seen("name", index) ? [{ path: ["experts", index, "name"], message: `there is another expert named "${name}"` }] : []),
    ...(seen("role", index) ? [{ path: ["experts", index, "role"], message: `there is another expert with the role "${role}"` }] : []),
  ]);
}

function tieProblems(experts: Named, tieBreak: string | undefined): Problem[] {
  if (tieBreak === undefined)
    return experts.length % 2 === 0 ? [{ path: ["tieBreak"], message: "an even number of experts needs a tie-break" }] : [];
  const names = experts.map(({ name }) => name);
  return names.includes(tieBreak)
    ? []
    : [{ path: ["tieBreak"], message: `there is no expert "${tieBreak}"; there are ${names.join(", ")}` }];
}

/** An expert in the options of a panel: an agent, the options of an agent, or a compiled graph. A compiled graph cannot have a veto. */
export type PanelMember = Member & { veto?: boolean };

/** Converts an expert from the options of a panel into an `Expert`. */
export function asExpert(member: PanelMember): Expert {
  if ("invoke" in member) return asAgent(member);
  const { veto, ...options } = member;
  return { ...asAgent(options), veto };
}
