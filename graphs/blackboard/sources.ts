import {
  agent,
  type Code,
  Condition,
  type ConditionInCode,
  type Conditions,
  changeOf,
  closed,
  conditionToData,
  Doing,
  type DoingInCode,
  heardBy,
  type Listener,
  type Member,
  type Trigger,
  toData,
} from "ensemble/patterns";
import { z } from "zod";

/** The name of a key of the board. Conditions refer to the key as `board.<name>`. */
export const Key = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^.:]+$/, "a key has no dot and no colon");

export interface TriggerObject {
  key?: string;
  when?: Condition;
  and?: TriggerData[];
  or?: TriggerData[];
}
export type TriggerData = string | TriggerObject;

const parts = () =>
  z
    .array(z.lazy(() => KeyTrigger))
    .min(2)
    .optional();

/**
 * The schema of a source's trigger. A trigger is a key, a key with a condition, or a list of keys. In a list with `and`, all keys must
 * change. In a list with `or`, one of them must change.
 */
const KeyTrigger: z.ZodType<TriggerData, TriggerData> = z.union([
  Key,
  closed(
    {
      key: Key.optional().describe("Key whose change wakes the source"),
      when: Condition.optional().describe("Condition for the change. It sees `payload`, which is the new value, `board` and `task`."),
      and: parts().describe("Keys that must all change"),
      or: parts().describe("Keys of which one must change"),
    },
    (given) => {
      const { key, when, and, or } = given as TriggerObject;
      const forms = [key, and, or].filter((form) => form !== undefined).length;
      if (forms !== 1) return [{ path: [], message: "give one of key, and, or" }];
      return when !== undefined && key === undefined ? [{ path: ["when"], message: "this needs `key`" }] : [];
    },
  ) as never,
]);

const SourceSchema = closed({
  name: z.string().trim().min(1).max(100).describe("Name of the source"),
  do: Doing.describe("The work that it does when it is woken"),
  reads: z.array(Key).min(1).max(100).describe("Keys that it sees"),
  writes: z.array(Key).min(1).max(100).describe("Keys that it may write"),
  on: KeyTrigger.optional().describe("Changes that wake it. Default: a change of any key that it reads"),
  maxFires: z.number().int().min(1).max(1_000).default(10).describe("How often it is woken in a run at most"),
  priority: z.number().default(0).describe("Sources with a higher priority are woken first if not all can work at once"),
  timeoutSeconds: z.number().positive().max(86_400).default(30).describe("Timeout of one try"),
  retries: z.number().int().min(0).max(10).default(2).describe("How often failed work is tried again"),
});

/** The schema of the knowledge sources of a board. Their names are unique. */
export const Sources = z
  .array(SourceSchema)
  .min(1)
  .max(100)
  .superRefine((sources, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of sources.entries()) {
      if (names.has(name)) context.addIssue({ code: "custom", path: [index, "name"], message: `there is another source "${name}"` });
      names.add(name);
    }
  })
  .describe("Knowledge sources: who is woken by which keys");

type KeyTriggerInCode = string | { key: string; when?: ConditionInCode } | { and: KeyTriggerInCode[] } | { or: KeyTriggerInCode[] };

/** A source that is defined in code. Unlike a source in a run's context, it may contain functions and agents instead of their names. */
export type SourceInCode = Omit<z.input<typeof SourceSchema>, "do" | "on"> & { do: DoingInCode; on?: KeyTriggerInCode };

/**
 * Converts sources from TypeScript code to listeners. Stores the functions and agents of the sources by name in `code` and `conditions`,
 * and puts only these names into the listeners.
 */
export function sourcesOf(sources: SourceInCode[], code: Code, conditions: Conditions): Listener[] {
  const parsed = Sources.parse(sources.map(({ do: _, on, ...source }) => ({ ...source, do: { task: "set below" } })));
  return toListeners(
    parsed.map((source, index) => {
      const { do: work, on } = sources[index] as SourceInCode;
      return {
        ...source,
        do: toData(work, source.name, code),
        on: on && triggerOf(on, (when, place) => conditionToData(when, place, conditions), source.name),
      };
    }),
  );
}

type Parsed = Omit<z.output<typeof SourceSchema>, "do" | "on"> & { do: Listener["do"]; on?: TriggerData | Trigger };

/**
 * Converts parsed sources to listeners. A source writes the answer of the run if it writes a single key, and no other source writes this
 * key or waits for it. Clients see the tokens of a source that writes the answer.
 */
export function toListeners(sources: Parsed[]): Listener[] {
  const writers = (key: string) => sources.filter(({ writes }) => writes.includes(key)).length;
  const plain = sources.map(({ on, reads, writes, ...source }): Listener => {
    const [first, ...others] = reads;
    const usual: KeyTriggerInCode = others.length > 0 ? { or: reads } : (first ?? "");
    const isContested = writes.some((key) => writers(key) > 1);
    const trigger = triggerOf((on ?? usual) as KeyTriggerInCode, (when) => when as Condition);
    return { ...source, reads, writes, emits: writes.map(changeOf), together: true, isContested, on: trigger };
  });
  const heard = heardBy(plain);
  const isLast = ({ emits, isContested }: Listener) => emits.length === 1 && !isContested && !emits.some((type) => heard.has(type));
  return plain.map((listener) => ({ ...listener, speaks: isLast(listener) }));
}

type ToCondition = (when: ConditionInCode, place: string) => Condition | { code: string };

function triggerOf(trigger: KeyTriggerInCode | Trigger, condition: ToCondition, place = "when"): Trigger {
  if (typeof trigger === "string") return { key: trigger };
  if ("event" in trigger) return trigger;
  const inner = (all: (KeyTriggerInCode | Trigger)[]) => all.map((part, index) => triggerOf(part, condition, `${place}.${index}`));
  if ("and" in trigger) return { and: inner(trigger.and) };
  if ("or" in trigger) return { or: inner(trigger.or) };
  return { key: trigger.key, ...(trigger.when && { when: condition(trigger.when as ConditionInCode, place) }) };
}

const Entities = {
  type: "object",
  properties: { entities: { type: "array", items: { type: "string" }, description: "Things, people, places and numbers" } },
  required: ["entities"],
};

/** The agents of the default sources. */
export const analysts: Member[] = [agent({ name: "extractor", role: "an analyst who reads closely", output: Entities })];

/**
 * The default sources, for runs that define no sources. They extract entities, analyze them from two sides in parallel, and write the
 * answer.
 */
export const usualSources: SourceInCode[] = [
  { name: "extractor", reads: ["task"], writes: ["extracted_entities"], do: { agent: "extractor", task: "List what the task is about." } },
  {
    name: "analyst",
    reads: ["task", "extracted_entities"],
    on: "extracted_entities",
    writes: ["relations"],
    do: { task: "Say how the extracted entities depend on each other. One line each." },
  },
  {
    name: "skeptic",
    reads: ["task", "extracted_entities"],
    on: "extracted_entities",
    writes: ["doubts"],
    do: { task: "Say what is missing among the extracted entities, and what is easily misunderstood. At most five lines." },
  },
  {
    name: "writer",
    reads: ["task", "relations", "doubts"],
    on: { and: ["relations", "doubts"] },
    writes: ["answer"],
    do: { task: "Write the answer to the task from what is on the board. Answer with the text only." },
  },
];
