import { Link } from "wouter";
import { number, plural } from "../../../parts/format.ts";
import { Icon, type IconName } from "../../../parts/icons.tsx";
import { duration } from "../../../parts/time.tsx";
import type { Level } from "./scenario.ts";

const looks: Record<string, { label: string; icon: IconName; colour: string; bar: string }> = {
  pending: { label: "Waiting", icon: "queued", colour: "text-muted", bar: "bg-line-strong" },
  running: { label: "Running", icon: "running", colour: "text-accent", bar: "bg-accent" },
  paused: { label: "Paused", icon: "pause", colour: "text-warn", bar: "bg-warn" },
  complete: { label: "Complete", icon: "check", colour: "text-good", bar: "bg-good" },
  failed: { label: "Failed", icon: "cross", colour: "text-bad", bar: "bg-bad" },
};
const unknown = { label: "Unknown", icon: "queued" as const, colour: "text-muted", bar: "bg-line-strong" };
const marks = [30, 50, 70, 90];

/** A progress bar for each scenario, with marks for the milestones. */
export function LevelBars({ levels }: { levels: Level[] }) {
  return (
    <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
      {levels.map((level) => (
        <LevelBar key={level.name} level={level} />
      ))}
    </ul>
  );
}

function LevelBar({ level }: { level: Level }) {
  const { name, difficulty, status, reason, percent, items, failedItems, totalItems, elapsedMs, quality, warnings, run } = level;
  const { label, icon, colour, bar } = looks[status] ?? unknown;
  return (
    <li className="px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5 text-sm">
        <span className="font-medium">{name}</span>
        {difficulty && difficulty !== name && <span className="text-muted">{difficulty}</span>}
        <span className={`inline-flex items-center gap-1.5 ${colour}`} title={reason}>
          <Icon name={icon} className={`size-3.5 ${status === "running" ? "animate-spin [animation-duration:1.6s]" : ""}`} />
          {label}
        </span>
        {run && (
          <Link href={`/threads/${run.threadId}/runs/${run.runId}`} className="text-accent underline">
            a run of its own
          </Link>
        )}
        <span className="numbers ml-auto font-medium">{Math.round(percent)} %</span>
      </div>
      <div
        role="progressbar"
        aria-label={`Progress of ${name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent)}
        className="relative my-2 h-2.5 overflow-hidden rounded-full bg-sunken"
      >
        <div
          className={`h-full rounded-full transition-[width] duration-300 ${bar}`}
          style={{ width: `${Math.min(100, Math.max(0, percent))}%` }}
        />
        {marks.map((mark) => (
          <span key={mark} className="absolute inset-y-0 w-px bg-surface" style={{ left: `${mark}%` }} />
        ))}
      </div>
      <p className="numbers flex flex-wrap gap-x-4 text-xs text-muted">
        <span>
          {number(items)} of {plural(totalItems, "item")}
          {failedItems > 0 && <span className="text-bad">, {number(failedItems)} failed</span>}
        </span>
        <span>{duration(elapsedMs)}</span>
        <span>quality {quality === null ? "–" : quality.toFixed(2)}</span>
        {status === "failed" && reason && <span className="text-bad">{reason}</span>}
        {warnings.length > 0 && <span className="text-warn">{warnings.at(-1)}</span>}
      </p>
    </li>
  );
}
