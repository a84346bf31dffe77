import { z } from "zod";
import { dataTransformation } from "./data-transformation.ts";
import { echoAgent } from "./echo-agent.ts";
import { performanceTesting } from "./performance-testing.ts";
import { securityScanning } from "./security-scanning.ts";
import type { Skill } from "./skill.ts";

/** The skills of the scenario orchestrator. Add a new skill here. */
const skills: Skill[] = [dataTransformation, securityScanning, performanceTesting, echoAgent];

export const SkillName = z.enum(skills.map(({ name }) => name));

export function findSkill(name: string): Skill {
  const skill = skills.find((one) => one.name === name);
  if (!skill) throw new Error(`There is no skill "${name}"; there are ${skills.map((one) => one.name).join(", ")}.`);
  return skill;
}
