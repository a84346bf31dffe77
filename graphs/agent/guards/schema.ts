import { z } from "zod";
import { closed, type Problem } from "../closed.ts";
import { isPattern } from "../within-time.ts";
import { projectGuard, projectGuardNames } from "./project-guards.ts";

/** The kinds of personal data that LangChain's detectors find. */
export const PersonalData = z.enum(["email", "credit_card", "ip", "mac_address", "url"]);
const usualData = ["email", "credit_card", "ip", "mac_address"] as const;

const OnFail = z
  .union([z.enum(["block", "retry", "ask"]), closed({ replace: z.string().max(10_000).describe("Text that replaces the value") })], {
    error: 'one of "block", "retry", "ask" or { "replace": "a text" }',
  })
  .default("block")
  .describe("Action if the value does not pass: refuse it, ask the model again, ask a person, or replace the text");

const common = {
  onFail: OnFail,
  on: z.enum(["arguments", "result"]).optional().describe("For a tool: check only the arguments or only the result. Default: both"),
};
const Words = z.number().int().min(0).max(1_000_000);
const Scalar = z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]);

/** The name of a guard that the project defines as a function. */
const GuardName = z.string().superRefine((name, context) => {
  if (projectGuard(name)) return;
  context.addIssue({ code: "custom", message: `there is no guard "${name}"; there are ${projectGuardNames().join(", ") || "none"}` });
});

/** Returns a guard as an object. A bare name becomes a guard that calls the project's function of this name. */
const inFull = (guard: unknown) => (typeof guard === "string" ? { kind: "function", name: guard } : guard);

/** The schema of a guard that is a plain object. Such a guard never contains code. */
export const GuardObject = z
  .discriminatedUnion("kind", [
    closed({
      kind: z.literal("pii"),
      types: z
        .array(PersonalData)
        .min(1)
        .default([...usualData])
        .describe("Personal data to look for"),
      ...common,
    }),
    closed({ kind: z.literal("secrets"), ...common }),
    closed(
      {
        kind: z.literal("regex"),
        forbid: z.string().min(1).max(500).optional().describe("Regular expression that must not match"),
        require: z.string().min(1).max(500).optional().describe("Regular expression that must match"),
        ...common,
      },
      findPatternProblems,
    ),
    closed({ kind: z.literal("maxWords"), words: Words.describe("Most words"), ...common }),
    closed({ kind: z.literal("minWords"), words: Words.describe("Fewest words"), ...common }),
    closed(
      { kind: z.literal("schema"), schema: z.record(z.string(), z.unknown()).describe("JSON schema that the value must fit"), ...common },
      findSchemaProblems,
    ),
    closed({
      kind: z.literal("allow"),
      path: z.string().min(1).max(500).optional().describe("Path of the value in a structured answer. Default: the whole value"),
      values: z.array(Scalar).min(1).max(1_000).describe("Allowed values"),
      ...common,
    }),
    closed({
      kind: z.literal("judge"),
      rule: z.string().trim().min(1).max(2_000).describe("Rule with which a model judges the value"),
      model: z.string().min(1).optional().describe("Model of the judge. Default: the agent's"),
      ...common,
    }),
    closed({ kind: z.literal("function"), name: GuardName.describe("Name of a guard of the project"), ...common }),
  ])
  .describe("A check of a text or value, or the name of a guard of the project");
export const Guard = z.preprocess(inFull, GuardObject);
export type Guard = z.infer<typeof Guard>;

function findPatternProblems(given: object): Problem[] {
  const present = ["forbid", "require"].filter((key) => Object(given)[key] !== undefined);
  if (present.length !== 1) return [{ path: [], message: "give one of forbid and require" }];
  return present
    .filter((key) => !isPattern(Object(given)[key]))
    .map((key) => ({ path: [key], message: "this is not a regular expression" }));
}

function findSchemaProblems(given: object): Problem[] {
  try {
    z.fromJSONSchema(Object(given).schema);
    return [];
  } catch (error) {
    return [{ path: ["schema"], message: `this JSON schema cannot be used: ${(error as Error).message}` }];
  }
}

const actions = {
  input: ["block", "replace", "ask"],
  output: ["block", "retry", "replace"],
  tool: ["block", "replace", "ask"],
  whole: ["block", "replace"],
};
type Place = keyof typeof actions;

const Guards = z.array(Guard).max(50);

/** The guards of an agent: those for its input, for its answer, and for each of its tools. */
export const Guardrails = closed(
  {
    input: Guards.default([]).describe("Checks of the agent's input, before its first model call"),
    output: Guards.default([]).describe("Checks of the agent's answer"),
    tool: z.record(z.string(), Guards).default({}).describe("Checks of a tool's arguments and result, by the tool's name"),
    maxRetries: z.number().int().min(0).max(10).default(3).describe("How often the model is asked again after an answer that did not pass"),
  },
  (given) => {
    const { input, output, tool } = given as Record<Place, unknown>;
    const ofTools = Object.entries(Object(tool)).flatMap(([name, guards]) => misused(guards, "tool", ["tool", name]));
    return [...misused(input, "input", ["input"]), ...misused(output, "output", ["output"]), ...ofTools];
  },
);
export type Guardrails = z.infer<typeof Guardrails>;

/** The guards of a whole pattern. Its output guards cannot `retry`, because a pattern does not run again if its output fails a guard. */
export const PatternGuardrails = closed(
  {
    input: Guards.default([]).describe("Checks of the task, the messages and the other input of the run"),
    output: Guards.default([]).describe(
      "Checks of the final answer. Checks that forbid parts of a text also check the answer of each agent.",
    ),
  },
  (given) => {
    const { input, output } = given as Record<Place, unknown>;
    return [...misused(input, "input", ["input"]), ...misused(output, "whole", ["output"])];
  },
);

/**
 * Returns a problem for each guard with an action that is impossible for the checked value. For example, a guard of an input cannot
 * `retry`.
 */
function misused(guards: unknown, place: Place, path: string[]): Problem[] {
  if (!Array.isArray(guards)) return [];
  return guards.flatMap((guard, index): Problem[] => {
    const { kind, onFail = "block", on } = Object(guard);
    const action = typeof onFail === "string" ? onFail : "replace";
    const at = (key: string, message: string) => [{ path: [...path, index, key], message }];
    if (["block", "retry", "replace", "ask"].includes(action) && !actions[place].includes(action)) {
      return at("onFail", `here a guard cannot ${action}; it can ${actions[place].join(", ")}`);
    }
    if (on !== undefined && place !== "tool") return at("on", "only a guard of a tool has this");
    if (action !== "ask") return [];
    if (kind === "judge") return at("onFail", "a judge cannot ask a person; use block or replace");
    return place === "tool" && on !== "arguments" ? at("onFail", 'a person can be asked only with `on: "arguments"`') : [];
  });
}

/** Returns a problem for each guarded tool that is not among the agent's tools. */
export function findToolProblems(given: object): Problem[] {
  const { guardrails, tools = [] } = given as { guardrails?: { tool?: object }; tools?: unknown };
  const known = Array.isArray(tools) ? tools : [];
  return Object.keys(Object(guardrails?.tool))
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: ["guardrails", "tool", name],
      message: `the agent has no tool "${name}"; it has ${known.join(", ") || "none"}`,
    }));
}
