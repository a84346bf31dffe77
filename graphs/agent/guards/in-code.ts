import { type Guard, type GuardObject, Guardrails } from "./schema.ts";

/**
 * The answer of a guard function. `ok` tells whether the value passes. `value` replaces the checked value. `reason` says why the value does
 * not pass.
 */
export interface GuardAnswer {
  ok: boolean;
  value?: unknown;
  reason?: string;
}

/**
 * A guard that is a function in code. If it throws, the value is blocked. If it refuses the value, the consequence depends on the kind of
 * value:
 * - An input is blocked.
 * - The arguments or the result of a tool are refused.
 * - An answer goes back to the model with the reason.
 */
export type GuardFunction = (value: unknown) => GuardAnswer | Promise<GuardAnswer>;

export type AnyGuard = Guard | GuardFunction;
type GuardInCode = (typeof GuardObject)["_zod"]["input"] | string | GuardFunction;

/** The guards of an agent that is defined in TypeScript code. Each guard is a plain object or a function. */
export interface GuardrailsInCode {
  input?: GuardInCode[];
  output?: GuardInCode[];
  tool?: Record<string, GuardInCode[]>;
  maxRetries?: number;
}

/** The validated guards of an agent. */
export interface Guarding extends Pick<Guardrails, "maxRetries"> {
  input: AnyGuard[];
  output: AnyGuard[];
  tool: Record<string, AnyGuard[]>;
}

/** Returns the guardrails from code, followed by those from a run's context. */
export function bothGuardrails(own: GuardrailsInCode = {}, more: GuardrailsInCode = {}): GuardrailsInCode {
  return { ...own, input: [...(own.input ?? []), ...(more.input ?? [])], output: [...(own.output ?? []), ...(more.output ?? [])] };
}

/** Validates guardrails from code and returns them. Throws if a guard is invalid. */
export function guardrailsFrom(given: GuardrailsInCode): Guarding {
  const plain = Guardrails.parse(mapped(given, (guard) => (typeof guard === "function" ? stand : guard)));
  return mapped(plain, (guard, place, index) => {
    const own = Object(place.reduce((inner: unknown, key) => Object(inner)[key], given))[index];
    return typeof own === "function" ? own : guard;
  }) as Guarding;
}

/**
 * A placeholder for each guard that is a function, while the other guards are validated. It keeps the indexes of the other guards, so that
 * errors name the right index.
 */
const stand = { kind: "minWords", words: 0 };

/** Returns guardrails with each guard replaced by the result of `change`. `place` is the path of the list that contains the guard. */
function mapped(given: object, change: (guard: unknown, place: string[], index: number) => unknown): object {
  const each = (guards: unknown, place: string[]) =>
    Array.isArray(guards) ? guards.map((guard, index) => change(guard, place, index)) : guards;
  const { input, output, tool } = given as Record<string, unknown>;
  const tools = Object.entries(Object(tool)).map(([name, guards]) => [name, each(guards, ["tool", name])]);
  return {
    ...given,
    ...(input !== undefined && { input: each(input, ["input"]) }),
    ...(output !== undefined && { output: each(output, ["output"]) }),
    ...(tool !== undefined && { tool: Object.fromEntries(tools) }),
  };
}
