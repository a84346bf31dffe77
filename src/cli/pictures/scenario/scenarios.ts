import type { Screen } from "../../terminal/screen.ts";
import { seconds } from "../amounts.ts";
import type { Picture } from "../picture.ts";
import { drawBar, type ScenarioProgress } from "./bar.ts";
import { type EventOf, ScenarioEvent } from "./scenario-events.ts";

/**
 * Shows three scenarios below each other. A terminal shows growing bars. Any other output gets a line for each milestone and each change of
 * status.
 */
export const showScenarios = (screen: Screen): Picture => new ScenarioPicture(screen);

class ScenarioPicture implements Picture {
  begun = false;
  private readonly screen: Screen;
  private readonly progress = new Map<string, ScenarioProgress>();
  private readonly lines: ReturnType<typeof holdLines>;

  constructor(screen: Screen) {
    this.screen = screen;
    this.lines = holdLines(screen);
  }

  take(data: unknown): boolean {
    const read = ScenarioEvent.safeParse(data);
    if (!read.success) return false;
    this.tell(read.data);
    this.screen.picture([...this.progress.values()].map(drawBar));
    return true;
  }

  leave(): void {
    this.lines.release();
    this.screen.leavePicture();
  }

  private tell(event: ScenarioEvent): void {
    if (event.type === "plan") this.plan(event);
    else if (event.type === "batch") this.batch(event);
    else if (event.type === "milestone") this.milestone(event);
    else if (event.type === "state") this.state(event);
    else this.screen.line(["cyan", "⇉ "], meetingLine(event));
  }

  private progressOf(name: string): ScenarioProgress {
    const known = this.progress.get(name);
    const made: ScenarioProgress = known ?? { name, percent: 0, items: 0, totalItems: 0, elapsedMs: 0, quality: null, status: "pending" };
    if (!known) this.progress.set(name, made);
    return made;
  }

  private plan({ skill, mode, scenarios }: EventOf<"plan">): void {
    this.begun = true;
    const sizes = scenarios.map(({ name, items }) => `${name} ${items}`).join(", ");
    this.screen.line(["bold", skill], `${mode ? ` in mode ${mode}` : ""}: ${sizes} items`);
    for (const { name, items } of scenarios) Object.assign(this.progressOf(name), { totalItems: items });
  }

  private batch({ scenario, status, percent, items, totalItems, quality, elapsedMs }: EventOf<"batch">): void {
    const one = this.progressOf(scenario);
    Object.assign(one, { status, percent, items, elapsedMs, totalItems: totalItems ?? one.totalItems, quality: quality ?? one.quality });
    this.lines.release(scenario);
  }

  private milestone(event: EventOf<"milestone">): void {
    const one = this.progressOf(event.scenario);
    this.lines.tell(event.scenario, one.percent < event.percent, () => milestoneLine(one, event));
  }

  private state({ scenario, from, to, reason }: EventOf<"state">): void {
    const one = this.progressOf(scenario);
    one.status = to;
    const line = `${scenario}: ${from ? `${from} → ` : ""}${to}${reason ? ` (${reason})` : ""}`;
    this.lines.tell(scenario, to === "complete" && one.percent < 100, () => line);
  }
}

/**
 * Returns a writer of lines for outputs that are not terminals. Each line contains figures from a batch event. The writer holds a line back
 * until that event has arrived.
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
  // In lockstep mode, scenarios wait for each other after each batch, and a batch may end at any percentage. The line names the milestone
  // only if every waiting scenario has reached it.
  const where = waits.every(({ percent, arrived }) => percent >= milestone || !arrived) ? ` at ${milestone} %` : " after a batch";
  return `met${where}: ${each.join(", ")}`;
}
