import { z } from "zod";

/** A tool call whose effect cannot be undone (tier 3). An agent that was called as a tool proposes the call to its caller. */
export const Proposal = z.object({
  agent: z.string().describe("Agent that proposes the call"),
  tool: z.string().describe("Name of the tool"),
  args: z.record(z.string(), z.unknown()).describe("Arguments of the tool"),
});
export type Proposal = z.infer<typeof Proposal>;

/** The tool result that a model reads when its call was only proposed. */
export const proposed =
  "Proposed to the agent that called you. A person decides about it later. You will not see the result. Say in your answer what you proposed.";
