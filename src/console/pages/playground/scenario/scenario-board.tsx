import { isObject } from "../../../parts/json-schema.ts";
import { Section } from "../../../parts/page.tsx";
import { Comparison } from "./comparison.tsx";
import { LevelBars } from "./level-bars.tsx";
import { MilestoneTimeline } from "./milestone-timeline.tsx";
import { QualityTrend } from "./quality-trend.tsx";
import { readReport } from "./report.ts";
import type { ScenarioView } from "./scenario.ts";

/** Shows the progress of the scenario orchestrator: bars, milestones and quality during the run, and the comparison at its end. */
export function ScenarioBoard({ view, output }: { view: ScenarioView; output: unknown }) {
  const levels = [...view.levels.values()];
  const report = readReport(isObject(output) ? output.report : undefined);
  if (levels.length === 0 && !report) return null;
  const about = [view.skill, view.mode && `mode ${view.mode}`].filter(Boolean).join(" · ");
  return (
    <>
      {levels.length > 0 && (
        <Section title="Scenarios" actions={<span className="text-sm text-muted">{about}</span>}>
          <LevelBars levels={levels} />
        </Section>
      )}
      {levels.length > 0 && (
        <div className="grid gap-5 xl:grid-cols-2">
          <Section title="Milestones">
            <MilestoneTimeline levels={levels} meetings={view.meetings} />
          </Section>
          <Section title="Quality">
            <QualityTrend levels={levels} />
          </Section>
        </div>
      )}
      {report && <Comparison report={report} />}
    </>
  );
}
