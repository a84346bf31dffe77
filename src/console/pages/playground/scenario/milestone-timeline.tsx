import { duration } from "../../../parts/time.tsx";
import type { Level, Meeting } from "./scenario.ts";

const ends = new Set([0, 100]);

/**
 * The times at which the scenarios reached their milestones, on one time scale. Vertical lines mark the times at which scenarios waited for
 * each other.
 */
export function MilestoneTimeline({ levels, meetings }: { levels: Level[]; meetings: Meeting[] }) {
  const last = Math.max(1, ...levels.flatMap(({ milestones }) => milestones.map(({ atMs }) => atMs)), ...meetings.map(({ atMs }) => atMs));
  const place = (atMs: number) => `${(100 * atMs) / last}%`;
  return (
    <div className="min-h-54 rounded-lg border border-line bg-surface p-4">
      <p className="mb-2.5 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted" aria-hidden="true">
        <span className="flex items-center gap-1.5">
          <span className="size-2 rotate-45 bg-accent" /> 30, 50, 70 and 90 %
        </span>
        <span className="flex items-center gap-1.5">
          <span className="size-2 rotate-45 border-2 border-accent" /> complete
        </span>
        {meetings.length > 0 && (
          <span className="flex items-center gap-1.5">
            <span className="h-3 border-l border-dashed border-line-strong" /> they met
          </span>
        )}
      </p>
      <ul className="relative space-y-3">
        {levels.map((level) => (
          <Lane key={level.name} level={level} place={place} meetings={meetings} />
        ))}
      </ul>
      <div className="numbers mt-2 flex justify-between pl-20 text-xs text-muted">
        <span>0</span>
        <span>{duration(last / 2)}</span>
        <span>{duration(last)}</span>
      </div>
    </div>
  );
}

interface LaneProps {
  level: Level;
  meetings: Meeting[];
  place: (atMs: number) => string;
}

function Lane({ level: { name, milestones }, meetings, place }: LaneProps) {
  const [first, end] = [milestones[0]?.atMs ?? 0, milestones.at(-1)?.atMs ?? 0];
  return (
    <li className="flex items-center">
      <span className="w-20 shrink-0 truncate pr-2 text-sm" title={name}>
        {name}
      </span>
      <div className="relative h-7 min-w-0 flex-1">
        <span className="absolute top-1/2 h-px w-full bg-line" />
        <span
          className="absolute top-1/2 h-0.5 -translate-y-px bg-accent"
          style={{ left: place(first), width: `calc(${place(end)} - ${place(first)})` }}
        />
        {meetings.map(({ atMs, percent }) => (
          <span
            key={atMs}
            title={`The scenarios met at ${percent} %, after ${duration(atMs)}`}
            className="absolute -inset-y-1.5 border-l border-dashed border-line-strong"
            style={{ left: place(atMs) }}
          />
        ))}
        {milestones.map(({ percent, atMs }) => (
          <span
            key={percent}
            role="img"
            aria-label={`${name}: ${percent} % after ${duration(atMs)}`}
            title={`${percent} % after ${duration(atMs)}`}
            className={`absolute top-1/2 size-2.5 -translate-1/2 rotate-45 border-2 border-accent ${ends.has(percent) ? "bg-surface" : "bg-accent"}`}
            style={{ left: place(atMs) }}
          />
        ))}
      </div>
    </li>
  );
}
