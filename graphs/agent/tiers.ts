import { z } from "zod";
import type { Problem } from "./closed.ts";
import { callName } from "./tool-names.ts";

/**
 * The tier of a tool.
 * - Tier 1: the tool only reads.
 * - Tier 2: the tool changes something, and the change can be undone.
 * - Tier 3: the change cannot be undone. A person must approve each call. An agent that another agent called can only propose the call.
 */
export const Tier = z.union([z.literal(1), z.literal(2), z.literal(3)]);
export type Tier = z.infer<typeof Tier>;

export const Tiers = z
  .record(z.string(), Tier)
  .default({})
  .describe("Higher tiers for tools, by the tool's name. A tool of tier 3 needs a person's approval for each call.");

/** The parts of a tool that set its tier. `metadata` is the option of LangChain's `tool`. */
interface Tiered {
  name: string;
  metadata?: Record<string, unknown>;
}

/**
 * Returns the tier of a tool: the tool's own tier, or the agent's tier for the tool if that is higher. The tool's own tier is 2 by
 * default. An agent can raise the tier of a tool, but never lower it.
 */
export function tierOfTool({ name, metadata }: Tiered, { tiers = {} }: { tiers?: Record<string, Tier> } = {}): Tier {
  const own = Tier.safeParse(metadata?.tier).data ?? 2;
  const given = Object.entries(tiers).find(([tool]) => callName(tool) === callName(name))?.[1] ?? 1;
  return Math.max(own, given) as Tier;
}

/** Returns a problem for each name in `tiers` that is not among the agent's tools. */
export function findTierProblems(given: object): Problem[] {
  const { tiers, tools = [] } = given as { tiers?: unknown; tools?: unknown };
  const known = Array.isArray(tools) ? tools : [];
  return Object.keys(Object(tiers))
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: ["tiers", name], message: `the agent has no tool "${name}"; it has ${known.join(", ") || "none"}` }));
}
