import { z } from "zod";
import type { Problem } from "./closed.ts";
import { callName } from "./tool-names.ts";

/**
 * The tier of a tool. A tool of tier 1 only reads. A tool of tier 2 changes something, and the change can be undone. A tool of tier 3 does
 * what cannot be undone, so a person approves each call, and an agent that another agent calls can only propose it.
 */
export const Tier = z.union([z.literal(1), z.literal(2), z.literal(3)]);
export type Tier = z.infer<typeof Tier>;

export const Tiers = z
  .record(z.string(), Tier)
  .default({})
  .describe("Tiers of tools, by name, if they are higher than the tool's own. Tier 3 needs a person's approval each time.");

/** A tool, as far as its tier matters. `metadata` is that of LangChain's `tool`. */
interface Tiered {
  name: string;
  metadata?: Record<string, unknown>;
}

/** Returns the tier of a tool: its own, which is 2 by default, or a higher one from the agent. Data can never lower a tier. */
export function tierOfTool({ name, metadata }: Tiered, { tiers = {} }: { tiers?: Record<string, Tier> } = {}): Tier {
  const own = Tier.safeParse(metadata?.tier).data ?? 2;
  const given = Object.entries(tiers).find(([tool]) => callName(tool) === callName(name))?.[1] ?? 1;
  return Math.max(own, given) as Tier;
}

/** Returns a problem for each tool with a tier that the agent does not have. */
export function findTierProblems(given: object): Problem[] {
  const { tiers, tools = [] } = given as { tiers?: unknown; tools?: unknown };
  const known = Array.isArray(tools) ? tools : [];
  return Object.keys(Object(tiers))
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: ["tiers", name], message: `the agent has no tool "${name}"; it has ${known.join(", ") || "none"}` }));
}
