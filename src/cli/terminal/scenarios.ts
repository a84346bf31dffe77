import { seconds } from "./amounts.ts";
import { drawBar, type Racer } from "./bar.ts";
import { ScenarioEvent, type Told } from "./scenario-events.ts";
import type { Screen } from "./screen.ts";

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
  const lines = holdLines(screen);
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

  function batch({ scenario, status, percent, items, totalItems, quality, elapsedMs }: Told<"batch">): void {
    const one = racer(scenario);
    Object.assign(one, { status, percent, items, elapsedMs, totalItems: totalItems ?? one.totalItems, quality: quality ?? one.quality });
    lines.release(scenario);
  }

  function milestone(event: Told<"milestone">): void {
    const one = racer(event.scenario);
    lines.tell(event.scenario, one.percent < event.percent, () => milestoneLine(one, event));
  }

  function state({ scenario, from, to, reason }: Told<"state">): void {
    const one = racer(scenario);
    one.status = to;
    const line = `${scenario}: ${from ? `${from} → ` : ""}${to}${reason ? ` (${reason})` : ""}`;
    lines.tell(scenario, to === "complete" && one.percent < 100, () => line);
  }

  function tell(event: ScenarioEvent): void {
    if (event.type === "plan") plan(event);
    else if (event.type === "batch") batch(event);
    else if (event.type === "milestone") milestone(event);
    else if (event.type === "state") state(event);
    else screen.line(["cyan", "⇉ "], meetingLine(event));
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
      lines.release();
      screen.leavePicture();
    },
  };
}

/** Lines where there is no picture. A batch brings the figures of what it reached and may come after it: such a line waits for it. */
function holdLines(screen: Screen) {
  let held: { scenario: string; line: () => string }[] = [];
  return {
    tell(scenario: string, isEarly: boolean, line: () => string): void {
      if (screen.live) return;
      if (isEarly) held.push({ scenario, line });
      else screen.line(line());
    },
    release(scenario?: string): void {
      const isDue = (each: { scenario: string }) => scenario === undefined || each.scenario === scenario;
      for (const { line } of held.filter(isDue)) screen.line(line());
      held = held.filter((each) => !isDue(each));
    },
  };
}

function milestoneLine({ name, items, totalItems, quality }: Racer, { percent, atMs, elapsedMs }: Told<"milestone">): string {
  const score = quality === null ? "" : `, quality ${quality.toFixed(2)}`;
  return `${name}: ${percent} % after ${seconds(atMs ?? elapsedMs)}, ${items}/${totalItems} items${score}`;
}

function meetingLine({ milestone, waits }: Told<"sync">): string {
  const each = waits.map(({ scenario, percent, waitedMs, arrived }) =>
    arrived ? `${scenario} waited ${seconds(waitedMs)}` : `${scenario} was at ${percent} %`,
  );
  // In lockstep they meet after each batch, wherever that is.
  const where = waits.every(({ percent, arrived }) => percent >= milestone || !arrived) ? ` at ${milestone} %` : " after a batch";
  return `met${where}: ${each.join(", ")}`;
}
