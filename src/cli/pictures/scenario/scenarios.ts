import type { Screen } from "../../terminal/screen.ts";
import { seconds } from "../amounts.ts";
import type { Picture } from "../picture.ts";
import { drawBar, type ScenarioProgress } from "./bar.ts";
import { type EventOf, ScenarioEvent } from "./scenario-events.ts";

/**
 * Shows three scenarios next to each other. A terminal gets growing bars. Any other output gets a line for each milestone and each change
 * of status.
 */
export function showScenarios(screen: Screen): Picture {
  const progress = new Map<string, ScenarioProgress>();
  const lines = holdLines(screen);
  let begun = false;

  function progressOf(name: string): ScenarioProgress {
    const known = progress.get(name);
    const made: ScenarioProgress = known ?? { name, percent: 0, items: 0, totalItems: 0, elapsedMs: 0, quality: null, status: "pending" };
    if (!known) progress.set(name, made);
    return made;
  }

  function plan({ skill, mode, scenarios }: EventOf<"plan">): void {
    begun = true;
    const sizes = scenarios.map(({ name, items }) => `${name} ${items}`).join(", ");
    screen.line(["bold", skill], `${mode ? ` in mode ${mode}` : ""}: ${sizes} items`);
    for (const { name, items } of scenarios) Object.assign(progressOf(name), { totalItems: items });
  }

  function batch({ scenario, status, percent, items, totalItems, quality, elapsedMs }: EventOf<"batch">): void {
    const one = progressOf(scenario);
    Object.assign(one, { status, percent, items, elapsedMs, totalItems: totalItems ?? one.totalItems, quality: quality ?? one.quality });
    lines.release(scenario);
  }

  function milestone(event: EventOf<"milestone">): void {
    const one = progressOf(event.scenario);
    lines.tell(event.scenario, one.percent < event.percent, () => milestoneLine(one, event));
  }

  function state({ scenario, from, to, reason }: EventOf<"state">): void {
    const one = progressOf(scenario);
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
      screen.picture([...progress.values()].map(drawBar));
      return true;
    },
    leave() {
      lines.release();
      screen.leavePicture();
    },
  };
}

/**
 * Returns a writer of lines, for outputs without a picture. If a line arrives before the batch that has its figures, it waits for that
 * batch.
 */
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

function milestoneLine({ name, items, totalItems, quality }: ScenarioProgress, { percent, atMs, elapsedMs }: EventOf<"milestone">): string {
  const score = quality === null ? "" : `, quality ${quality.toFixed(2)}`;
  return `${name}: ${percent} % after ${seconds(atMs ?? elapsedMs)}, ${items}/${totalItems} items${score}`;
}

function meetingLine({ milestone, waits }: EventOf<"sync">): string {
  const each = waits.map(({ scenario, percent, waitedMs, arrived }) =>
    arrived ? `${scenario} waited ${seconds(waitedMs)}` : `${scenario} was at ${percent} %`,
  );
  // In lockstep mode, the scenarios wait for each other after each batch, at any percentage.
  const where = waits.every(({ percent, arrived }) => percent >= milestone || !arrived) ? ` at ${milestone} %` : " after a batch";
  return `met${where}: ${each.join(", ")}`;
}
