import { Leader } from "../supervisor/leader.ts";

export const usualCommander = Leader.parse({
  name: "commander",
  role: "the commander of a mission",
  instructions: "You give objectives to squads. You leave the way to their leaders.",
});

export const prompts = {
  plan: (mission: string, problems: string[]) =>
    [
      `Turn this mission into objectives for the squads: ${mission}`,
      ...(problems.length > 0 ? ["Your plan before could not be carried out:", ...problems] : []),
    ].join("\n"),
  decide: (mission: string) => `Decide what follows from the reports of the squads. The mission: ${mission}`,
  report: (objective: string) => `Report to the commander on the objective: ${objective}`,
};
