import { type AgentData, closed, Doing, heardBy, type Listener, leavesOf, type Trigger, typesOf } from "ensemble/patterns";
import { z } from "zod";
import { EventType, TriggerSchema } from "../choreography/listeners.ts";

/** The type of a flow's first event. */
export const begin = "START";

const Name = EventType.regex(/^[^:]+$/, "a name has no colon");

const Feedback = closed({
  message: z.string().min(1).max(10_000).describe("Question to a person about the output of the step"),
  emit: z.array(Name).min(2).max(10).describe("Outcomes. Each is an event."),
  model: z.string().min(1).optional().describe("Model that maps the answer to an outcome. Default: the worker of the context"),
});

const StepSchema = closed({
  name: Name.describe("Name of the step. The finished step is an event with this name."),
  on: TriggerSchema.optional().describe("Steps and labels that start the step. Default: the step starts with the run."),
  do: Doing.describe("The work of the step"),
  routes: z
    .array(Name)
    .min(2)
    .max(20)
    .optional()
    .describe("Makes the step a router. It chooses one of these labels, and the label is the event."),
  each: z
    .boolean()
    .default(false)
    .describe("Whether a step that waits for one of several events starts at each of them. Default: only at the first one in a run"),
  maxFires: z.number().int().min(1).max(1_000).default(10).describe("How often the step may start in a run"),
  humanFeedback: Feedback.optional().describe("A question to a person after the step"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often a failed step is tried again"),
});

export type FlowStepData = z.input<typeof StepSchema>;

/** A step of a flow. A router in code may choose labels that are not in its list `routes`. */
export interface FlowStep extends Omit<z.output<typeof StepSchema>, "do" | "on"> {
  do: Listener["do"];
  on?: Trigger;
  isRouter?: boolean;
}

interface Problem {
  path: (string | number)[];
  message: string;
}

/** Returns the problems of a flow: names that are taken, events that nobody publishes, and the lack of a first step. */
export function problemsOf(steps: Pick<FlowStep, "name" | "on" | "routes" | "humanFeedback" | "isRouter">[]): Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const labels = new Set(steps.flatMap(({ routes = [], humanFeedback }) => [...routes, ...(humanFeedback?.emit ?? [])]));
  for (const [index, { name }] of steps.entries()) {
    if (names.has(name) || labels.has(name) || name === begin)
      problems.push({ path: [index, "name"], message: `the name "${name}" is taken` });
    names.add(name);
  }
  const isOpen = steps.some(({ isRouter, routes }) => isRouter && !routes);
  const isKnown = (type: string) => isOpen || names.has(type) || labels.has(type) || names.has(type.replace(/^FAILED:/, ""));
  for (const [index, { on }] of steps.entries()) {
    const unknown = on === undefined ? undefined : leavesOf(on).find(({ type }) => !isKnown(type));
    if (unknown) problems.push({ path: [index, "on"], message: `no step and no label is called "${unknown.type}"` });
  }
  if (steps.every(({ on }) => on !== undefined)) problems.push({ path: [], message: "a flow needs a step without `on`, to start with" });
  return problems;
}

/** The schema of the steps of a flow. */
export const Steps = z
  .array(StepSchema)
  .min(1)
  .max(100)
  .superRefine((steps, context) => {
    for (const problem of problemsOf(steps)) context.addIssue({ code: "custom", ...problem });
  })
  .describe("The steps of the flow");

const questionOf = (step: string) => `feedback:${step}`;
const readerOf = (step: string) => `outcome:${step}`;

/**
 * Converts steps to listeners. A step with human feedback has two more listeners: one asks a person, and the other maps the person's answer
 * to an outcome.
 */
export function toListeners(steps: FlowStep[]): Listener[] {
  const listeners = steps.flatMap((step): Listener[] => {
    const { name, on = begin, do: work, routes = [], each, maxFires, humanFeedback, isRouter, ...limits } = step;
    const isFirstOnly = typeof on === "object" && "or" in on && !each;
    const own = { ...limits, name, on, do: work, emits: routes, maxFires: isFirstOnly ? 1 : maxFires, priority: 0 };
    if (!humanFeedback) return [own];
    const { message, emit } = humanFeedback;
    const question = {
      ...own,
      name: questionOf(name),
      on: name,
      do: { ask: message },
      emits: [...emit, questionOf(name)],
      maxFires,
      retries: 0,
    };
    const task = "Which of the outcomes does the feedback of this person mean?";
    const reader = { ...own, name: readerOf(name), on: questionOf(name), do: { agent: readerOf(name), task }, emits: emit, maxFires };
    return [own, question, reader];
  });
  const heard = heardBy(listeners);
  const isLast = (listener: Listener) => typesOf(listener).length === 1 && !typesOf(listener).some((type) => heard.has(type));
  const routers = new Set(steps.filter(({ isRouter }) => isRouter).map(({ name }) => name));
  return listeners.map((listener) => ({ ...listener, speaks: isLast(listener) && !routers.has(listener.name) }));
}

/** Returns the agents that map the answers of people to outcomes. */
export const readersOf = (steps: FlowStep[]): z.input<typeof AgentData>[] =>
  steps.flatMap(({ name, humanFeedback }) => {
    if (!humanFeedback) return [];
    const instructions = "Weigh the whole answer. Praise with a small wish is still an approval.";
    return [
      {
        name: readerOf(name),
        role: "a careful reader of feedback",
        instructions,
        ...(humanFeedback.model && { model: humanFeedback.model }),
      },
    ];
  });

/** Returns the step whose feedback a listener handles. `part` says whether the listener asks for the feedback or maps it to an outcome. */
export const feedbackOn = ({ name }: Listener): { step: string; part: "feedback" | "outcome" } | undefined => {
  const [, part, step] = /^(feedback|outcome):(.*)$/.exec(name) ?? [];
  return part === undefined || step === undefined ? undefined : { step, part: part as "feedback" };
};

const task = (text: string) => ({ task: text });

/** The default steps, for runs that define no steps. */
export const usualSteps = Steps.parse([
  { name: "outline", do: task("List the points that an answer to this task needs. One line a point.") },
  { name: "doubts", do: task("List the questions that a critical reader of an answer to this task would ask. At most five.") },
  { name: "draft", on: { and: ["outline", "doubts"] }, do: task("Write a draft that makes these points and answers these questions.") },
  {
    name: "check",
    on: { or: ["draft", "revise"] },
    each: true,
    maxFires: 3,
    do: task("Is this draft good enough to be published? Choose `good` or `weak`."),
    routes: ["good", "weak"],
  },
  { name: "revise", on: "weak", do: task("Improve this draft: shorter, clearer, nothing lost. Answer with the text only.") },
  { name: "finish", on: "good", do: task("Copy this draft, and correct mistakes of language. Answer with the text only.") },
] satisfies FlowStepData[]);
