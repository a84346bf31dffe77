import { z } from "zod";

const scenario = z.string();
const shared = { pattern: z.literal("scenario"), elapsedMs: z.number().default(0) };
const Planned = z.looseObject({ name: z.string(), items: z.number().default(0) });
const Wait = z.looseObject({ scenario, percent: z.number().default(0), waitedMs: z.number().default(0), arrived: z.boolean() });

/** The progress events of the scenario graph. Optional fields that are missing are not shown. */
export const ScenarioEvent = z.discriminatedUnion("type", [
  z.object({
    ...shared,
    type: z.literal("plan"),
    skill: z.string().default("scenario"),
    mode: z.string().default(""),
    scenarios: z.array(Planned),
  }),
  z.object({
    ...shared,
    type: z.literal("batch"),
    scenario,
    status: z.string().default("running"),
    percent: z.number().default(0),
    items: z.number().default(0),
    totalItems: z.number().optional(),
    quality: z.number().nullish(),
  }),
  z.object({ ...shared, type: z.literal("milestone"), scenario, percent: z.number(), atMs: z.number().optional() }),
  z.object({ ...shared, type: z.literal("state"), scenario, from: z.string().nullish(), to: z.string(), reason: z.string().nullish() }),
  z.object({ ...shared, type: z.literal("sync"), milestone: z.number(), waits: z.array(Wait) }),
]);

export type ScenarioEvent = z.output<typeof ScenarioEvent>;
export type EventOf<Type extends ScenarioEvent["type"]> = Extract<ScenarioEvent, { type: Type }>;
