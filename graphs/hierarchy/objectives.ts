import { z } from "zod";
import { WorkStep } from "../supervisor/plan.ts";

const { id, dependsOn } = WorkStep.shape;

/** An objective: the goal of a squad, and the criterion for reaching it. */
export const Objective = z.object({
  id: id.describe("Name of the objective. Other objectives refer to it."),
  squad: z.string().describe("Squad that pursues the objective"),
  goal: z.string().trim().min(1).describe("What the squad must reach"),
  done: z.string().trim().min(1).describe("How to tell that the objective is reached"),
  dependsOn: dependsOn.describe("Objectives whose reports this objective needs"),
});
export type Objective = z.infer<typeof Objective>;

/** Returns the schema of an objective that a model plans. The schema tells the model the names of the squads. */
export const objectiveFor = (squads: string[]) =>
  Objective.extend({ squad: z.string().meta({ description: "Squad that pursues the objective", enum: squads }) });

/** Converts an objective to a step of the supervisor. The squad takes the place of the step's agent. */
export const asStep = ({ id, squad, goal, done, dependsOn }: Objective): WorkStep => ({
  id,
  agent: squad,
  task: `${goal}\n\nIt is done when: ${done}`,
  dependsOn,
});
