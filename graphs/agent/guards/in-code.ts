import { type Guard, type GuardObject, Guardrails } from "./schema.ts";

/** The answer of a guard in code. `value` takes the place of the value that it saw. `reason` says why the value does not pass. */
export interface GuardAnswer {
  ok: boolean;
  value?: unknown;
  reason?: string;
}

/**
 * A guard in code. A value that does not pass is blocked in an input and refused for a tool. An answer that does not pass goes back to the
 * model with the reason. If the function throws, the value is blocked.
 */
export type GuardFunction = (value: unknown) => GuardAnswer | Promise<GuardAnswer>;

export type AnyGuard = Guard | GuardFunction;
type GuardInCode = (typeof GuardObject)["_zod"]["input"] | string | GuardFunction;

/** The guards of an agent in code: data and functions. */
export interface GuardrailsInCode {
  input?: GuardInCode[];
  output?: GuardInCode[];
  tool?: Record<string, GuardInCode[]>;
  maxRetries?: number;
}

/** The guards of an agent that is at work. */
export interface Guarding extends Pick<Guardrails, "maxRetries"> {
  input: AnyGuard[];
  output: AnyGuard[];
  tool: Record<string, AnyGuard[]>;
}

/** Returns the guardrails of code, and those of a run's context after them. */
export function bothGuardrails(own: GuardrailsInCode = {}, more: GuardrailsInCode = {}): GuardrailsInCode {
  return { ...own, input: [...(own.input ?? []), ...(more.input ?? [])], output: [...(own.output ?? []), ...(more.output ?? [])] };
}

/** Returns guardrails of code, validated. Throws if a guard is invalid. */
export function guardrailsFrom(given: GuardrailsInCode): Guarding {
  const plain = Guardrails.parse(mapped(given, (guard) => (typeof guard === "function" ? stand : guard)));
  return mapped(plain, (guard, place, index) => {
    const own = Object(place.reduce((inner: unknown, key) => Object(inner)[key], given))[index];
    return typeof own === "function" ? own : guard;
  }) as Guarding;
}

/** A guard that stands in the place of a function while the others are validated, so that errors name the right index. */
const stand = { kind: "minWords", words: 0 };

/** Returns guardrails with each guard replaced by another. `place` is the path of its list. */
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
