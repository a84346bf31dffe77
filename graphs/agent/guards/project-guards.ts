import type { GuardFunction } from "./in-code.ts";

// The key is a global symbol. The package and a checkout of its sources may both be loaded in one process, and must then share the guards
// of the project.
const key = Symbol.for("ensemble.project.guards");
const place = globalThis as { [key]?: ReadonlyMap<string, GuardFunction> };

/** Sets the guards of the project, by name. A context can name them, but cannot define any. */
export function setProjectGuards(guards: Record<string, GuardFunction>): void {
  for (const [name, guard] of Object.entries(guards))
    if (typeof guard !== "function") throw new Error(`the guard "${name}" is not a function`);
  place[key] = new Map(Object.entries(guards));
}

/** Returns the project's guard with this name. */
export const projectGuard = (name: string): GuardFunction | undefined => place[key]?.get(name);

export const projectGuardNames = (): string[] => [...(place[key]?.keys() ?? [])];
