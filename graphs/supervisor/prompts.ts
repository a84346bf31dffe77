import { agent } from "ensemble/patterns";

/** The agent that plans the work, decides after each wave, and compares and settles findings. */
export const judge = agent({
  name: "supervisor",
  role: "the supervisor of a team",
  instructions: "Plan, judge and decide. Invent nothing.",
});

/** The agent that writes the report for the caller. It has the same name and role as the judge. */
export const reporter = agent({
  name: "supervisor",
  role: "the supervisor of a team",
  instructions:
    "Answer the caller from the work of your team. Begin with the result. Follow what was settled, say what is missing, and invent nothing.",
});

/** The maximum number of characters of an error or of a person's advice that an agent sees. */
const longestQuote = 2_000;

export const prompts = {
  plan: (task: string, problems: string[]) =>
    [`Split this task into steps for the team: ${task}`, ...(problems.length > 0 ? [badPlan, ...problems] : [])].join("\n"),
  review: (task: string) => `Review the work on: ${task}`,
  group: "Group these findings by what they are about. Give a group only to findings of several agents.",
  arbitrate: (subject: string) => `These views of "${subject}" contradict each other. Decide which recommendation holds.`,
  report: (task: string) => `Write the report on: ${task}`,
  /** Returns the task of a step. It adds facts that became known after the planning: a person's advice, and the error of the last try. */
  step: (task: string, { advice, error }: { advice: string; error: string | null | undefined }) =>
    [
      task,
      advice && `A person adds: ${advice.slice(0, longestQuote)}`,
      error && `An earlier try failed: ${error.slice(0, longestQuote)} Avoid that.`,
    ]
      .filter(Boolean)
      .join("\n\n"),
};

const badPlan = "Your plan before could not be carried out:";
