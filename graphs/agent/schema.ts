import { z } from "zod";
import { closed } from "./closed.ts";
import { Strategy } from "./compaction.ts";
import { findToolProblems, Guardrails } from "./guards/schema.ts";
import { Memory } from "./knowledge/memory-schema.ts";
import { Knowledge } from "./knowledge/schema.ts";
import { Needs, NeedsWaitSeconds } from "./needs.ts";
import { findTierProblems, Tiers } from "./tiers.ts";
import { ToolName } from "./tool-names.ts";

export const JsonSchema = z.record(z.string(), z.unknown());

/** The fields of an agent that is defined as JSON or YAML. `AgentData` adds the checks of the agent as a whole. */
export const agentFields = {
  name: z.string().trim().min(1).max(100).describe("Name of the agent"),
  role: z.string().trim().min(1).describe("Role of the agent"),
  description: z.string().optional().describe("Purpose of the agent, for a model or agent that chooses between agents"),
  goal: z.string().optional().describe("Goal of the agent"),
  backstory: z.string().optional().describe("Background of the agent"),
  instructions: z.string().default("").describe("System prompt of the agent"),
  model: z.string().min(1).optional().describe("Model to use instead of the context's, as `provider:model`"),
  temperature: z.number().min(0).max(2).optional().describe("Temperature to use instead of the context's"),
  tools: z.array(ToolName).max(128).default([]).describe("Tools that the agent may use"),
  approve: z.array(ToolName).max(128).default([]).describe("Tools that need a person's approval each time"),
  tiers: Tiers,
  output: JsonSchema.optional().describe("JSON schema of the agent's result. Without it, the result is text."),
  maxRounds: z.number().int().min(1).max(50).default(10).describe("Rounds of tool calls after which the agent must answer"),
  weight: z.number().positive().default(1).describe("Weight of the agent's findings in a weighted vote"),
  timeoutSeconds: z.number().positive().max(3_600).default(30).describe("Timeout of one model call"),
  errandSeconds: z.number().positive().max(86_400).default(300).describe("Timeout of one errand, tools included"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a failed model call or an unusable answer is retried"),
  needs: Needs.optional(),
  needsWaitSeconds: NeedsWaitSeconds.optional(),
  knowledge: Knowledge,
  resultsLimit: z.number().int().min(1).max(20).optional().describe("Most passages of knowledge before a task. Default: 3"),
  scoreThreshold: z.number().min(0).max(1).optional().describe("Lowest score of a passage, 1 being the best. Default: 0.35"),
  memory: Memory.optional(),
  contextTokens: z
    .number()
    .int()
    .min(1_000)
    .max(10_000_000)
    .optional()
    .describe("Most tokens of one prompt. Older messages are compacted. Default: three quarters of the model's window, or 96,000"),
  compaction: Strategy.optional().describe(
    "How older messages make room: a summary, a summary of all but the last round, or no summary. Default: semantic",
  ),
  guardrails: Guardrails.optional().describe("Checks of the agent's input, of its answer and of its tools"),
};

/**
 * The schema of an agent that is defined as data: in a run's `context`, in a roster, or in `agents.yaml`. An agent that is defined in code
 * has further options (see agent.ts).
 */
export const AgentData = closed(agentFields, (given) => [...findToolProblems(given), ...findTierProblems(given)]);

export type AgentData = z.infer<typeof AgentData>;

/** The schema of a roster, which is a list of agents with unique names. */
export const Roster = z
  .array(AgentData)
  .min(1)
  .superRefine((agents, context) => {
    const names = new Set<string>(); // a Set, because searching a very long array for each name would be slow
    agents.forEach(({ name }, index) => {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another agent named "${name}"` });
      names.add(name);
    });
  })
  .describe("Agents that can be given work");
