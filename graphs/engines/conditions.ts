import { z } from "zod";
import { closed } from "../agent/closed.ts";
import { valueAt } from "../agent/value-at.ts";
import { isPattern, withinTime } from "../agent/within-time.ts";

/**
 * A condition that is written as JSON. It compares the value at a path, combines other conditions, or asks a judge a yes-or-no question.
 */
export interface Condition {
  path?: string;
  is?: unknown;
  not?: unknown;
  in?: unknown[];
  gt?: number;
  lt?: number;
  matches?: string;
  exists?: boolean;
  all?: Condition[];
  any?: Condition[];
  ask?: string;
  model?: string;
}

const operators = ["is", "not", "in", "gt", "lt", "matches", "exists"] as const;
const combinations = ["all", "any", "not", "ask"] as const;

/** The schema of a condition that is written as JSON. Such a condition never contains code. */
export const Condition: z.ZodType<Condition, Condition> = closed(
  {
    path: z.string().min(1).max(500).optional().describe("Path of the value to compare, such as `validate.output.valid`"),
    is: z.unknown().optional().describe("The value equals this one"),
    not: z.unknown().optional().describe("With a path: the value differs from this one. Without a path: a condition that must not hold."),
    in: z.array(z.unknown()).optional().describe("The value is one of these"),
    gt: z.number().optional().describe("The value is a greater number"),
    lt: z.number().optional().describe("The value is a smaller number"),
    matches: z.string().max(500).optional().describe("The value is a text that matches this regular expression"),
    exists: z.boolean().optional().describe("Whether there is a value at the path"),
    all: z
      .array(z.lazy(() => Condition))
      .optional()
      .describe("Conditions that must all hold"),
    any: z
      .array(z.lazy(() => Condition))
      .optional()
      .describe("Conditions of which one must hold"),
    ask: z.string().min(1).max(2_000).optional().describe("A question to a judge, to be answered with yes or no"),
    model: z.string().min(1).optional().describe("Model of the judge. Default: the judge of the context"),
  },
  findProblems,
);

function findProblems(given: object) {
  const has = (key: string) => Object(given)[key] !== undefined;
  const [form, keys] = has("path") ? ["with a path", operators] : ["without a path", combinations];
  const found = keys.filter(has);
  if (found.length !== 1) return [{ path: [], message: `a condition ${form} has one of ${keys.join(", ")}` }];
  const { matches, not } = given as Condition;
  if (found[0] === "matches" && !isPattern(matches)) return [{ path: ["matches"], message: "this is not a regular expression" }];
  if (found[0] !== "not" || has("path")) return [];
  const issues = Condition.safeParse(not).error?.issues ?? [];
  return issues.map(({ path, message }) => ({ path: ["not", ...path.map(String)], message }));
}

/** The answer of a judge to the question of a condition. */
export const Answer = z.object({ holds: z.boolean().describe("Whether the answer is yes"), reason: z.string().describe("Why") });
export type Answer = z.infer<typeof Answer>;

/** The result of a condition: whether the condition holds, the values that it read, and the paths that had no value. */
export interface Verdict {
  holds: boolean;
  seen: Record<string, unknown>;
  missing: string[];
}

/** Returns all questions to the judge in a condition and in the conditions inside it. */
export function questionsIn({ path, not, all = [], any = [], ask, model }: Condition): { ask: string; model?: string }[] {
  const inner = path === undefined && not !== undefined ? [not as Condition] : [];
  return [...(ask === undefined ? [] : [{ ask, model }]), ...[...inner, ...all, ...any].flatMap(questionsIn)];
}

/**
 * Evaluates a condition over the values. `answers` has the answers of the judge, by question. A comparison with a missing value is false.
 */
export function evaluate(condition: Condition, values: unknown, answers: Record<string, Answer> = {}): Verdict {
  const { path, not, all, any, ask } = condition;
  if (path !== undefined) return compare(condition, path, valueAt(values, path));
  if (ask !== undefined) {
    const answer = answers[ask];
    return { holds: answer?.holds ?? false, seen: { [ask]: answer?.reason }, missing: answer ? [] : [ask] };
  }
  if (not !== undefined) {
    const inner = evaluate(not as Condition, values, answers);
    return { ...inner, holds: !inner.holds };
  }
  const parts = (all ?? any ?? []).map((part) => evaluate(part, values, answers));
  return {
    holds: all ? parts.every(({ holds }) => holds) : parts.some(({ holds }) => holds),
    seen: Object.assign({}, ...parts.map(({ seen }) => seen)),
    missing: parts.flatMap(({ missing }) => missing),
  };
}

function compare(condition: Condition, path: string, value: unknown): Verdict {
  const isThere = value !== undefined && value !== null;
  if (condition.exists !== undefined) return { holds: isThere === condition.exists, seen: { [path]: isThere }, missing: [] };
  if (value === undefined) return { holds: false, seen: {}, missing: [path] };
  return { holds: holdsFor(condition, value), seen: { [path]: value }, missing: [] };
}

function holdsFor(condition: Condition, value: unknown): boolean {
  if ("is" in condition && condition.is !== undefined) return isSame(value, condition.is);
  if ("not" in condition && condition.not !== undefined) return !isSame(value, condition.not);
  if (condition.in) return condition.in.some((one) => isSame(value, one));
  if (condition.gt !== undefined) return typeof value === "number" && value > condition.gt;
  if (condition.lt !== undefined) return typeof value === "number" && value < condition.lt;
  return typeof value === "string" && condition.matches !== undefined && matches(condition.matches, value);
}

/** Tells whether two values are equal as JSON. The order of keys does not matter. */
export const isSame = (one: unknown, other: unknown): boolean => canonical(one) === canonical(other);

/** Returns a value as JSON with sorted keys, so that the order of keys does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );

const longestMatch = 100_000;

/** Tells whether a text matches a pattern from a caller. Returns false if the match takes too long. */
function matches(pattern: string, text: string): boolean {
  try {
    return withinTime(() => new RegExp(pattern).test(text.slice(0, longestMatch)));
  } catch {
    return false;
  }
}

/** Returns a copy of a value in which each `{ path: "…" }` is replaced by the value at that path. */
export function replacePaths(value: unknown, values: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => replacePaths(item, values));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "path" && typeof entries[0][1] === "string")
    return valueAt(values, entries[0][1]) ?? null;
  return Object.fromEntries(entries.map(([key, inner]) => [key, replacePaths(inner, values)]));
}

/**
 * A condition that is a function in code. It gets the same values that a JSON condition reads, and the `args` from the `CodeCondition` that
 * names the function.
 */
export type ConditionFunction = (values: Record<string, unknown>, args?: unknown) => boolean;
/** A condition that names a function in code. */
export interface CodeCondition {
  code: string;
  args?: unknown;
}
/** The functions in code that a pattern uses as conditions, by name. */
export type Conditions = Map<string, ConditionFunction>;
export type ConditionInCode = Condition | ConditionFunction;

/** Converts a condition to JSON. A function is added to `conditions` under `name`, and the JSON refers to the function by this name. */
export function conditionToData(condition: ConditionInCode, name: string, conditions: Conditions): Condition | CodeCondition {
  if (typeof condition !== "function") return Condition.parse(condition);
  conditions.set(name, condition);
  return { code: name };
}
