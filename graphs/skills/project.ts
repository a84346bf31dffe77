import type { Skill } from "./skill.ts";

// The key is a global symbol, because the package and a checkout's graphs can be loaded side by side and must share the project.
const key = Symbol.for("ensemble.project.skills");
const place = globalThis as { [key]?: readonly Skill[] };

/** Sets the skills of the project, so that an input can name them. The service calls this once, before the first run. */
export function setProjectSkills(skills: readonly Skill[]): void {
  place[key] = skills;
}

export const projectSkills = (): readonly Skill[] => place[key] ?? [];
