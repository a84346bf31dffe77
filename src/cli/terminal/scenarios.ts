import { z } from "zod";
import { seconds } from "./amounts.ts";
import { drawBar, type Racer } from "./bar.ts";
import type { Screen } from "./screen.ts";

const scenario = z.string();
const shared = { pattern: z.literal("scenario"), elapsedMs: z.number().default(0) };
const Planned = z.looseObject({ name: z.string(), difficulty: z.string().default(""), items: z.number().default(0) });

/** What the scenario graph tells while it works. A field that is missing costs that field, not the picture. */
const ScenarioEvent = z.discriminatedUnion("type", [
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
  z.object({
    ...shared,
    type: z.literal("sync"),
    milestone: z.number(),
    waits: z.array(z.looseObject({ scenario, percent: z.number().default(0), waitedMs: z.number().default(0), arrived: z.boolean() })),
  }),
]);

type ScenarioEvent = z.output<typeof ScenarioEvent>;
type Told<Type extends ScenarioEvent["type"]> = Extract<ScenarioEvent, { type: Type }>;

export interface ScenarioView {
  /** Whether a race was seen to begin: then the picture tells it, and single steps need not. */
  readonly begun: boolean;
  /** Shows an event of the scenario graph; false when it is somebody else's. */
  take(data: unknown): boolean;
  leave(): void;
}

/** Three scenarios side by side: on a terminal as bars that grow, elsewhere as a line for each milestone and each change of state. */
export function showScenarios(screen: Screen): ScenarioView {
  const racers = new Map<string, Racer>();
  const held: { scenario: string; tell: () => void }[] = [];
  let begun = false;

  function racer(name: string): Racer {
    const known = racers.get(name);
    const made: Racer = known ?? { name, percent: 0, items: 0, totalItems: 0, elapsedMs: 0, quality: null, status: "pending" };
    if (!known) racers.set(name, made);
    return made;
  }

  function plan({ skill, mode, scenarios }: Told<"plan">): void {
    begun = true;
    const sizes = scenarios.map(({ name, items }) => `${name} ${items}`).join(", ");
    screen.line(["bold", skill], `${mode ? ` in mode ${mode}` : ""}: ${sizes} items`);
    for (const { name, items } of scenarios) Object.assign(racer(name), { totalItems: items });
  }

  function batch({ scenario: name, status, percent, items, totalItems, quality, elapsedMs }: Told<"batch">): void {
    const one = racer(name);
    Object.assign(one, { status, percent, items, elapsedMs, totalItems: totalItems ?? one.totalItems, quality: quality ?? one.quality });
    release(name);
  }

  /** A batch brings the figures of the milestones that it reached, and may come after them. */
  function release(name?: string): void {
    const due = held.filter(({ scenario: of }) => name === undefined || of === name);
    for (const each of due) {
      held.splice(held.indexOf(each), 1);
      each.tell();
    }
  }

  function tellOrHold(name: string, isEarly: boolean, tell: () => void): void {
    if (screen.live) return;
    if (isEarly) held.push({ scenario: name, tell });
    else tell();
  }

  function milestone({ scenario: name, percent, atMs, elapsedMs }: Told<"milestone">): void {
    const one = racer(name);
    tellOrHold(name, one.percent < percent, () => {
      const quality = one.quality === null ? "" : `, quality ${one.quality.toFixed(2)}`;
      screen.line(`${name}: ${percent} % after ${seconds(atMs ?? elapsedMs)}, ${one.items}/${one.totalItems} items${quality}`);
    });
  }

  function state({ scenario: name, from, to, reason }: Told<"state">): void {
    const one = racer(name);
    one.status = to;
    tellOrHold(name, to === "complete" && one.percent < 100, () =>
      screen.line(`${name}: ${from ? `${from} → ` : ""}${to}${reason ? ` (${reason})` : ""}`),
    );
  }

  function sync({ milestone: at, waits }: Told<"sync">): void {
    const each = waits.map(({ scenario: name, percent, waitedMs, arrived }) =>
      arrived ? `${name} waited ${seconds(waitedMs)}` : `${name} was at ${percent} %`,
    );
    // In lockstep they meet after each batch, wherever that is.
    const where = waits.every(({ percent, arrived }) => percent >= at || !arrived) ? ` at ${at} %` : " after a batch";
    screen.line(["cyan", "⇉ "], `met${where}: ${each.join(", ")}`);
  }

  function tell(event: ScenarioEvent): void {
    if (event.type === "plan") plan(event);
    else if (event.type === "batch") batch(event);
    else if (event.type === "milestone") milestone(event);
    else if (event.type === "state") state(event);
    else sync(event);
  }

  return {
    get begun() {
      return begun;
    },
    take(data) {
      const read = ScenarioEvent.safeParse(data);
      if (!read.success) return false;
      tell(read.data);
      screen.picture([...racers.values()].map(drawBar));
      return true;
    },
    leave() {
      release();
      screen.leavePicture();
    },
  };
}
