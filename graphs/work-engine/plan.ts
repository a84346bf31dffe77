import { agent, type Code, type ConditionFunction, type Conditions, type Step, type StepFunction } from "ensemble/patterns";
import { z } from "zod";
import type { Contract, Stage } from "./contracts.ts";
import { addLessons, changeItem, itemKey, noteHealth } from "./records.ts";

/** The verdict of the gate, which checks the work of a stage after the stage has ended. */
const Verdict = z.object({
  passed: z.boolean().describe("Whether the work meets the goal"),
  quality: z.number().min(0).max(1).describe("How good it is, 1 being flawless"),
  reasons: z.array(z.string()).describe("What is missing or wrong. Empty if it passed"),
  findings: z.array(z.string()).describe("Lessons for the next work of this kind, one sentence each"),
});

const gatekeeper = agent({
  name: "gatekeeper",
  role: "a strict but fair reviewer",
  instructions: "Judge whether the output meets the goal. Name only what the output shows.",
  output: Verdict,
});

export const stageId = (index: number) => `stage ${index + 1}`;
export const gateId = (index: number) => `gate ${index + 1}`;
const askId = (index: number) => `ask ${index + 1}`;

interface Planned {
  stages: Stage[];
  contracts: Contract[];
  /** The lessons of earlier work, by the name of the skill. */
  lessons: Record<string, string[]>;
  project: string;
  name: string;
  timeoutSeconds: number;
}

/**
 * Returns the steps of each stage: its work, its gate, a question to a person if the gate blocks, and a step that records the outcome in
 * the store. This last step runs at the same time as the next stage.
 */
export function toSteps({ stages, contracts, lessons, project, name, timeoutSeconds }: Planned): Step[] {
  const common = { timeoutSeconds, retries: 1 };
  return stages.flatMap((stage, index) => {
    const contract = contracts[index] as Contract;
    const { skill, outputs, requires } = contract;
    const before = index === 0 ? [] : [gateId(index - 1), askId(index - 1)];
    const known = lessons[skill] ?? [];
    const work: Step = {
      ...{ ...common, id: stageId(index), needs: before, onFailure: "stop" as const, speaks: index === stages.length - 1 },
      do: stage.external ? { ask: stage.goal } : workOf(contract, stage, known),
      ...(outputs && { outputs }),
      ...(index > 0 && { takes: ["task", stageId(index - 1), `${gateId(index - 1)}.output.findings`], when: mayFollow(index - 1) }),
    };
    const gate: Step = {
      ...{ ...common, id: gateId(index), needs: [stageId(index)], takes: stageId(index), onFailure: "continue" as const },
      do: { code: "gatekeeper", task: `Judge the output of a stage. Its goal: ${stage.goal}` },
    };
    const ask: Step = {
      ...{ ...common, id: askId(index), needs: [gateId(index)], takes: `${gateId(index)}.output`, onFailure: "stop" as const },
      do: { ask: `The gate blocks stage ${index + 1}. Go on?`, options: ["overrule", "stop"] },
      when: { code: "isBlocked", args: { index, requires } satisfies Gated },
    };
    const record: Step = {
      ...{
        ...common,
        id: `record ${index + 1}`,
        needs: [gateId(index), askId(index)],
        takes: [stageId(index), gateId(index), askId(index)],
      },
      ...{ do: { code: "record", args: { project, name, index, skill } }, onFailure: "continue" as const },
    };
    return [work, gate, ask, record];
  });
}

function workOf({ skill, do: work }: Contract, { goal }: Stage, lessons: string[]): Step["do"] {
  const rules = lessons.length === 0 ? "" : `\n\nLessons of earlier work:\n${lessons.map((lesson) => `- ${lesson}`).join("\n")}`;
  const task = `${work?.task ? `${work.task}\n\n` : ""}Your skill: ${skill}. The goal of this stage: ${goal}${rules}`;
  return work?.tool || work?.graph ? work : { ...work, task };
}

/** The position of a stage, and the lists that its gate requires in the output. */
interface Gated {
  index: number;
  requires: Contract["requires"];
}

/**
 * Tells whether the gate of a stage blocks. The gate blocks if its verdict says so, if a required list is missing, or if a test did not
 * pass.
 */
const isBlocked: ConditionFunction = (values, args) => {
  const { index, requires } = args as Gated;
  const output = Object(Object(values[stageId(index)]).output);
  const isMissing = requires.some((list) => !Array.isArray(output[list]) || output[list].length === 0);
  const hasFailed =
    requires.includes("tests") && Array.isArray(output.tests) && output.tests.some((test: unknown) => Object(test).passed !== true);
  return isMissing || hasFailed || Object(Object(values[gateId(index)]).output).passed !== true;
};

/** The condition for the next stage: the gate did not block, or a person overruled it. */
const mayFollow = (index: number): Step["when"] => ({
  any: [
    { path: `${askId(index)}.status`, is: "skipped" },
    { path: `${askId(index)}.output`, is: "overrule" },
  ],
});

interface Recorded {
  project: string;
  name: string;
  index: number;
  skill: string;
}

/** Writes the outcome of a stage to the store: its work item, its lessons, and the health of its skill. */
const record: StepFunction = async (input, { config, args }) => {
  const { project, name, index, skill } = args as unknown as Recorded;
  const { [stageId(index)]: output, [gateId(index)]: given, [askId(index)]: answer } = Object(input);
  const verdict = Verdict.safeParse(given).data;
  const isDone = answer !== "stop";
  const { artifacts, tests } = Object(output);
  const lists = { artifacts: Array.isArray(artifacts) ? artifacts : [], tests: Array.isArray(tests) ? tests : [] };
  const change = { status: isDone ? ("done" as const) : ("failed" as const), findings: verdict?.findings ?? [], ...lists };
  const key = itemKey(name, index + 1);
  const event = answer === "overrule" ? "a person overruled the gate" : isDone ? "passed the gate" : "stopped at the gate";
  await changeItem(config, { project, key }, change, event);
  await addLessons(config, skill, verdict?.findings ?? []);
  await noteHealth(config, skill, { ok: isDone && answer !== "overrule", quality: verdict?.quality ?? 0, item: `${project}/${key}` });
  return { status: change.status };
};

/** Returns the engine's own functions and agents. */
export const ownCode = (): Code =>
  new Map<string, StepFunction | typeof gatekeeper>([
    ["gatekeeper", gatekeeper],
    ["record", record],
  ]);

export const ownConditions = (): Conditions => new Map([["isBlocked", isBlocked]]);
