import type { Skill } from "./skill.ts";

// The key is a global symbol. The package and a checkout of its sources may both be loaded in one process, and must then share the skills
// of the project.
const key = Symbol.for("ensemble.project.skills");
const place = globalThis as { [key]?: readonly Skill[] };

/** Sets the skills of the project, so that inputs can name them. The service calls this once, before the first run. */
export function setProjectSkills(skills: readonly Skill[]): void {
  place[key] = skills;
}

export const projectSkills = (): readonly Skill[] => place[key] ?? [];
