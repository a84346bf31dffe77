import { agent } from "ensemble/patterns";
import type { TeamTask } from "./tasks.ts";

export const usualLead = agent({
  name: "lead",
  role: "the lead of a team",
  instructions: "Split work into tasks that members can do side by side. Do none of them yourself. Invent nothing.",
});

export const judge = agent({
  name: "judge",
  role: "a judge of how work should be organised",
  instructions: "Judge soberly. Most work needs little exchange.",
});

/** The maximum number of characters of an error that a member sees. */
const longestQuote = 2_000;

export const prompts = {
  assess: (task: string) => `How much do the members of a team need each other while they work on this: ${task}`,
  plan: (task: string, problems: string[]) =>
    [
      `Split this into tasks for the team: ${task}`,
      ...(problems.length > 0 ? ["Your plan before could not be carried out:", ...problems] : []),
    ].join("\n"),
  work: ({ id, subject, description, error }: TeamTask) =>
    [`Do task ${id}: ${subject}`, description, error && `An earlier try failed: ${error.slice(0, longestQuote)} Avoid that.`]
      .filter(Boolean)
      .join("\n\n"),
  claim: "You have no task. Claim the open task that fits you best. Answer messages if you can.",
  report: (task: string) => `Answer from the results of your team: ${task}`,
};

export const rules = {
  mesh: [
    "You share a list of tasks with other members. Write to one of them when you need something from it.",
    "End your task with `complete`. Add a task only if something is missing from the list.",
  ],
};
