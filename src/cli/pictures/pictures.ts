import type { Screen } from "../terminal/screen.ts";
import { showComparison } from "./comparison.ts";
import type { Picture } from "./picture.ts";
import { showScenarios } from "./scenario/scenarios.ts";

/** The pictures, each for one form of progress events. */
const pictures: ((screen: Screen) => Picture)[] = [showScenarios];
/** The reports that are shown in a special form. Each function returns false for any other report. */
const reports: ((screen: Screen, report: unknown) => boolean)[] = [showComparison];

/** Opens every kind of live display on a screen and returns them as one. An event goes to the first display that shows it. */
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

/** Shows a report in its special form. Returns false if it has none. */
export function showReport(screen: Screen, report: unknown): boolean {
  return reports.some((show) => show(screen, report));
}
