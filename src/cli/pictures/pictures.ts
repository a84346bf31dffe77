import type { Screen } from "../terminal/screen.ts";
import { showComparison } from "./comparison.ts";
import type { Picture } from "./picture.ts";
import { showScenarios } from "./scenario/scenarios.ts";

/** The functions that open a live display. Each display knows one form of progress events. */
const pictures: ((screen: Screen) => Picture)[] = [showScenarios];
/** The functions that show reports in a special form. Each returns false for a report that it does not know. */
const reports: ((screen: Screen, report: unknown) => boolean)[] = [showComparison];

/** Opens all live displays on a screen and returns them as one. An event goes to the first display that knows its form. */
export function openPictures(screen: Screen): Picture {
  const opened = pictures.map((show) => show(screen));
  return {
    get begun() {
      return opened.some(({ begun }) => begun);
    },
    take: (data) => opened.some((picture) => picture.take(data)),
    leave() {
      for (const picture of opened) picture.leave();
    },
  };
}

/** Shows a report in its special form, and returns true. Returns false if no special form exists for the report. */
export function showReport(screen: Screen, report: unknown): boolean {
  return reports.some((show) => show(screen, report));
}
