import {
  type Code,
  type CodeCondition,
  Condition,
  type ConditionInCode,
  type Conditions,
  closed,
  conditionToData,
  Doing,
  type DoingInCode,
  type Step,
  stepName,
  toData,
} from "ensemble/patterns";
import { z } from "zod";

const mostStages = 20;
const deepest = 3;

const OnFailure = z.union([
  z.enum(["stop", "continue_with_warning", "retry_once"]),
  closed({ use: z.unknown().describe("Value that becomes the output of the stage") }),
  closed({ handler: Doing.describe("Work whose result becomes the output of the stage") }),
]);

/** A stage: work with a name, or a branch with two lists of stages. */
export interface Stage {
  name?: string;
  do?: z.infer<typeof Doing> & { code?: string };
  takes?: string | string[];
  when?: Condition | CodeCondition;
  onFailure: z.infer<typeof OnFailure>;
  timeoutSeconds: number;
  retries: number;
  branch?: { if: Condition | CodeCondition; then: Stage[]; else: Stage[] };
}

type StageData = Partial<Omit<Stage, "branch">> & { branch?: { if: Condition; then: StageData[]; else?: StageData[] } };

const Stage = closed(
  {
    name: stepName.optional().describe("Name of the stage. Later stages and conditions refer to it."),
    do: Doing.optional().describe("The work of the stage"),
    takes: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe("Input of the stage, instead of the output of the previous stage: names of earlier stages, paths, `task` or `input`"),
    when: Condition.optional().describe("Condition for the stage. If it does not hold, the stage is skipped."),
    onFailure: OnFailure.default("stop").describe("What happens when the stage has failed for good"),
    timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
    retries: z.number().int().min(0).max(10).default(2).describe("How often a failed stage is tried again"),
    branch: closed({
      if: Condition.describe("Condition that chooses between the two lists of stages"),
      then: z.array(z.lazy(() => Stage)).describe("Stages to run if the condition holds"),
      else: z
        .array(z.lazy(() => Stage))
        .default([])
        .describe("Stages to run if the condition does not hold"),
    })
      .optional()
      .describe("A branch, in place of a name and work"),
  },
  (given) => {
    const { name, do: work, branch } = given as StageData;
    if (branch !== undefined)
      return name === undefined && work === undefined ? [] : [{ path: ["branch"], message: "a branch has no name and no work" }];
    return [
      ...(name === undefined ? [{ path: ["name"], message: "a stage needs a name" }] : []),
      ...(work === undefined ? [{ path: ["do"], message: "a stage needs work" }] : []),
    ];
  },
) as unknown as z.ZodType<Stage, StageData>;

type Path = (string | number)[];

/**
 * Returns the problems of a list of stages:
 * - a name that is taken
 * - a reference to a later stage
 * - branches that are too deep
 * - too many stages
 */
function problemsOf(stages: Stage[]): { path: Path; message: string }[] {
  const problems: { path: Path; message: string }[] = [];
  const known = new Set(["task", "input"]);
  const check = (list: Stage[], path: Path, depth: number): void => {
    if (depth > deepest) problems.push({ path, message: `branches stand inside each other at most ${deepest} deep` });
    for (const [index, stage] of list.entries()) {
      const place = [...path, index];
      if (stage.branch) for (const arm of ["then", "else"] as const) check(stage.branch[arm], [...place, "branch", arm], depth + 1);
      else problems.push(...problemsOfStage(stage, place, known));
    }
  };
  check(stages, [], 0);
  if (known.size > mostStages + 2) problems.push({ path: [], message: `a pipeline has at most ${mostStages} stages` });
  return problems;
}

function problemsOfStage({ name = "", takes = [] }: Stage, path: Path, known: Set<string>) {
  const roots = [takes].flat().map((taken) => taken.split(".")[0] ?? "");
  const unknown = roots
    .filter((root) => !known.has(root))
    .map((root) => ({ path: [...path, "takes"], message: `no stage before this one is called "${root}"` }));
  const isTaken = known.has(name);
  known.add(name);
  return [...unknown, ...(isTaken ? [{ path: [...path, "name"], message: `the name "${name}" is taken` }] : [])];
}

/** The schema of a pipeline's stages. Their names are unique, and a stage may use only values of earlier stages. */
export const Stages = z
  .array(Stage)
  .min(1)
  .superRefine((stages, context) => {
    for (const problem of problemsOf(stages)) context.addIssue({ code: "custom", ...problem });
  })
  .describe("The stages, in order");

/** A stage that is defined in TypeScript code, so it can contain functions and agents directly. */
export type StageInCode = Omit<StageData, "do" | "when" | "branch"> & {
  do?: DoingInCode;
  when?: ConditionInCode;
  branch?: { if: ConditionInCode; then: StageInCode[]; else?: StageInCode[] };
};

/**
 * Converts stages from TypeScript code to JSON. Their functions and agents go into `code` and `conditions`, and the JSON refers to them by
 * name.
 */
export function stagesOf(stages: StageInCode[], code: Code, conditions: Conditions, prefix = ""): Stage[] {
  return stages.map(({ do: work, when, branch, ...stage }, index) => {
    const name = stage.name ?? `${prefix}${index}`;
    const parsed = { onFailure: "stop" as const, timeoutSeconds: 30, retries: 2, ...stage };
    if (branch) {
      const arms = {
        if: conditionToData(branch.if, name, conditions),
        then: stagesOf(branch.then, code, conditions, `${name}.then.`),
        else: stagesOf(branch.else ?? [], code, conditions, `${name}.else.`),
      };
      return { ...parsed, branch: arms };
    }
    return { ...parsed, ...(work && { do: toData(work, name, code) }), ...(when && { when: conditionToData(when, name, conditions) }) };
  });
}

/** Returns the steps of the stages. Each step needs the previous one. A branch becomes a gate, on which the stages of both arms depend. */
export function toSteps(stages: Stage[]): Step[] {
  const steps: Step[] = [];
  let branches = 0;
  const add = (list: Stage[], arms: NonNullable<Step["arms"]>, isLast: boolean): void => {
    for (const [index, { name = "", do: work = {}, branch, onFailure, retries, ...stage }] of list.entries()) {
      const speaks = isLast && index === list.length - 1;
      const needs = steps.slice(-1).map(({ id }) => id);
      if (!branch) {
        const tries = onFailure === "retry_once" ? retries + 1 : retries;
        steps.push({ ...stage, id: name, do: work, needs, arms, passes: true, speaks, retries: tries, onFailure: onFailureOf(onFailure) });
        continue;
      }
      const gate = `branch ${++branches}`;
      steps.push({ ...stage, id: gate, do: {}, needs, arms, gate: branch.if, retries, onFailure: "stop" });
      add(branch.then, [...arms, { gate, holds: true }], speaks);
      add(branch.else, [...arms, { gate, holds: false }], speaks);
    }
  };
  add(stages, [], true);
  return steps;
}

function onFailureOf(onFailure: Stage["onFailure"]): Step["onFailure"] {
  if (typeof onFailure === "object") return onFailure as Step["onFailure"];
  return onFailure === "continue_with_warning" ? "continue" : "stop";
}

/** The default stages, for runs that define no stages. */
export const usualStages = Stages.parse([
  { name: "outline", do: { task: "List the points that an answer to this task needs, in order. One line a point." } },
  { name: "draft", do: { task: "Write the answer to the task from these points." }, takes: ["task", "outline"] },
  {
    name: "polish",
    do: { task: "Improve the draft: shorter, clearer, nothing lost. Answer with the text only." },
    takes: ["task", "draft"],
  },
]);
