import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { z } from "zod";
import { dataTransformation } from "./data-transformation.ts";
import { echoAgent } from "./echo-agent.ts";
import { performanceTesting } from "./performance-testing.ts";
import { projectSkills } from "./project.ts";
import { securityScanning } from "./security-scanning.ts";
import type { Skill } from "./skill.ts";

/** The skills that come with the patterns. */
export const builtInSkills: Skill[] = [dataTransformation, securityScanning, performanceTesting, echoAgent];

/** The skills that a graph can run, by name. */
export interface Skills {
  names(): string[];
  find(name: string): Skill;
}

/**
 * Returns all skills that a graph can run: those in its own code, those of the project, and those of the patterns. If several have the same
 * name, the first one wins.
 */
export function skillsWith(own: readonly (Skill | (() => Skill))[] = []): Skills {
  const opened = own.map((skill) => (typeof skill === "function" ? skill() : skill));
  const all = () => [...opened, ...projectSkills(), ...builtInSkills];
  const names = () => [...new Set(all().map(({ name }) => name))];
  return {
    names,
    find(name) {
      const skill = all().find((one) => one.name === name);
      if (!skill) throw new Error(`There is no skill "${name}"; there are ${names().join(", ")}.`);
      return skill;
    },
  };
}

/** Returns the schema of a skill's name. The schema refuses the names of skills that the graph cannot run. */
export const skillName = ({ names }: Skills, description = "Skill to run") =>
  z
    .string()
    .superRefine((name, context) => {
      if (names().includes(name)) return;
      context.addIssue({ code: "custom", message: `there is no skill "${name}"; there are ${names().join(", ")}` });
    })
    .nullable()
    .default(null)
    .describe(description);

/** Returns the skill whose name occurs in the last message of a person. If no name occurs, returns the first built-in skill. */
export function skillIn(messages: BaseMessage[], { names }: Skills): string {
  const text = messages.findLast((message) => HumanMessage.isInstance(message))?.text ?? "";
  return names().find((name) => text.includes(name)) ?? dataTransformation.name;
}
