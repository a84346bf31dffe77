import type { Code, ConditionInCode, DoingInCode, Trigger } from "ensemble/patterns";
import { type Conditions, conditionToData, type StepFunction, toData } from "ensemble/patterns";
import type { z } from "zod";
import type { FlowStep, FlowStepData } from "./steps.ts";

type Names = readonly string[];

/** A trigger that waits for all of several steps or labels. */
export const and = <const Parts extends Names>(...parts: Parts) => ({ and: parts });
/** A trigger that waits for one of several steps or labels. */
export const or = <const Parts extends Names>(...parts: Parts) => ({ or: parts });

type On = string | { and: Names } | { or: Names } | { event: string; when: ConditionInCode };

/**
 * The type of a step's input, which follows from the step's trigger. It is the output of one step, a union of the outputs of several steps,
 * or an object with all of these outputs. If a step waits for a step that is added later, its function must declare the type itself.
 */
type InputOf<Outputs, Given> = Given extends keyof Outputs
  ? Outputs[Given]
  : Given extends { and: infer Parts extends Names }
    ? { [Part in Parts[number]]: InputOf<Outputs, Part> }
    : Given extends { or: infer Parts extends Names }
      ? InputOf<Outputs, Parts[number]>
      : never;

type Call<State> = Parameters<StepFunction>[1] & { state: State };
type Work<State, Input, Output> = ((input: Input, call: Call<State>) => Output | Promise<Output>) | Exclude<DoingInCode, StepFunction>;

type StepOptions = Partial<Pick<FlowStepData, "each" | "maxFires" | "humanFeedback" | "timeoutSeconds" | "retries">>;
interface RouterOptions extends StepOptions {
  /** The labels that the router may choose. They are required if the router is an agent. */
  labels?: string[];
}

/**
 * The input of a step that gets the state of the flow in addition to the payload of its event. Only functions and agents get such an input.
 */
export interface Given {
  payload: unknown;
  state: unknown;
}

/**
 * A flow under construction. `start` adds a step that begins with the run. `listen` adds a step that waits for other steps or labels.
 * `router` adds a step whose result is a label. A finished step and a label are both events.
 */
export class Flow<State, Outputs, Graph> {
  readonly #steps: FlowStep[] = [];
  readonly #code: Code;
  readonly #conditions: Conditions;
  readonly #compile: (steps: FlowStep[]) => Graph;

  constructor(parts: { code: Code; conditions: Conditions; compile: (steps: FlowStep[]) => Graph }) {
    this.#code = parts.code;
    this.#conditions = parts.conditions;
    this.#compile = parts.compile;
  }

  start<const Name extends string, Output>(name: Name, work: Work<State, never, Output>, options: StepOptions = {}) {
    return this.#with<Outputs & Record<Name, Awaited<Output>>>({ name, work, options });
  }

  listen<const Name extends string, const Trigger extends On, Output>(
    name: Name,
    on: Trigger,
    work: Work<State, InputOf<Outputs, Trigger>, Output>,
    options: StepOptions = {},
  ) {
    return this.#with<Outputs & Record<Name, Awaited<Output>>>({ name, on, work, options });
  }

  /** Adds a step that chooses a label. Steps that listen for the label get the input of the router. */
  router<const Name extends string, const Trigger extends On, const Label extends string>(
    name: Name,
    on: Trigger,
    work: Work<State, InputOf<Outputs, Trigger>, Label>,
    { labels, ...options }: RouterOptions = {},
  ) {
    return this.#with<Outputs & Record<Label, InputOf<Outputs, Trigger>>>({ name, on, work, options, isRouter: true, routes: labels });
  }

  /** Returns the compiled graph. Throws if a step waits for an event that no step publishes. */
  compile(): Graph {
    return this.#compile(this.#steps);
  }

  #with<More>(step: { name: string; on?: On; work: unknown; options: StepOptions; isRouter?: boolean; routes?: string[] }) {
    const { name, on, work, options, isRouter, routes } = step;
    const own = work as DoingInCode;
    const doing =
      typeof own === "function"
        ? (input: unknown, call: object) => own((input as Given).payload, { ...call, state: (input as Given).state } as never)
        : own;
    this.#steps.push({
      ...{ name, each: false, maxFires: 10, timeoutSeconds: 30, retries: 2, ...options },
      ...(on !== undefined && { on: this.#triggerOf(on, name) }),
      ...{ do: toData(doing as DoingInCode, name, this.#code), isRouter, routes },
    });
    return this as unknown as Flow<State, More, Graph>;
  }

  #triggerOf(on: On, name: string): Trigger {
    if (typeof on === "string") return on;
    if ("event" in on) return { event: on.event, when: conditionToData(on.when, name, this.#conditions) };
    return "and" in on ? { and: [...on.and] } : { or: [...on.or] };
  }
}

export type StateOf<Schema> = Schema extends z.ZodObject ? z.output<Schema> : Record<string, unknown>;
