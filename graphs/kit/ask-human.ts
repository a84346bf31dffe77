import { interrupt } from "@langchain/langgraph";
import { z } from "zod";

/** How every pattern asks a person. */
export interface Question {
  type: "approval" | "selection" | "input";
  prompt: string;
  options?: string[];
  details?: unknown;
}

const Approval = z.object({
  approved: z.boolean(),
  reason: z.string().optional().describe("Why not"),
  edited: z.record(z.string(), z.unknown()).optional().describe("What to use instead"),
});

export type Approval = z.infer<typeof Approval>;

/** Asks for approval: yes, yes with changes, or no with a reason. */
export function askApproval(prompt: string, details: unknown): Approval {
  const question: Question = { type: "approval", prompt, details };
  return interrupt(question, { responseSchema: Approval });
}

/** Asks for one of the options, or for free text when there are none. */
export function askAnswer(prompt: string, options: string[] = []): string {
  const question: Question = options.length > 0 ? { type: "selection", prompt, options } : { type: "input", prompt };
  return interrupt(question, { responseSchema: options.length > 0 ? z.enum(options) : z.string() });
}
