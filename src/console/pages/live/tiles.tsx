import type { ReactNode } from "react";
import { Link } from "wouter";
import { bytes, number } from "../../parts/format.ts";
import { duration } from "../../parts/time.tsx";
import type { Figures } from "./figures.ts";
import { type Hour, rateOf, sum } from "./history.ts";

interface TileProps {
  label: string;
  value: ReactNode;
  note?: string | undefined;
  /** The path of the page that lists the counted runs. */
  to?: string;
  isBad?: boolean;
}

function Tile({ label, value, note, to, isBad }: TileProps) {
  const shown = <span className={`numbers text-2xl font-semibold ${isBad ? "text-bad" : ""}`}>{value}</span>;
  return (
    <div className="min-w-0 bg-surface px-4 py-3">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="mt-0.5">
        {to ? (
          <Link href={to} className="rounded-sm hover:underline">
            {shown}
            <span className="sr-only"> runs, show {label.toLowerCase()}</span>
          </Link>
        ) : (
          shown
        )}
        <p className="min-h-4.5 truncate text-xs text-muted" title={note}>
          {note}
        </p>
      </dd>
    </div>
  );
}

const counted = (value: number | undefined) => (value === undefined ? "–" : number(value));

/** The figures of the current moment, as tiles. */
export function Tiles({ figures, hour }: { figures: Figures; hour: Hour | undefined }) {
  const failures = hour && sum(hour.failed);
  const rate = hour && rateOf(hour);
  const { oldestSeconds = 0 } = figures;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-4">
      <Tile label="Running" value={counted(figures.running)} to="/runs?status=running" />
      <Tile
        label="Queued"
        value={counted(figures.queued)}
        note={figures.forLater ? `and ${number(figures.forLater)} for later` : "due now"}
        to="/runs?status=pending"
      />
      <Tile
        label="Oldest wait"
        value={oldestSeconds > 0 ? duration(oldestSeconds * 1_000) : "–"}
        note={oldestSeconds > 0 ? "of a due run" : "nothing waits"}
      />
      <Tile label="Ended" value={rate ? <Rate {...rate} /> : "–"} note="in the last full minute" />
      <Tile
        label="Failures"
        value={counted(failures)}
        note="in the last hour"
        to="/runs?status=error,timeout&since=1h"
        isBad={(failures ?? 0) > 0}
      />
      <Tile label="Taken over" value={counted(figures.takenOver)} note={takeoverNote(figures)} />
      <Tile label="Created" value={counted(hour && sum(hour.created))} note="in the last hour" to="/runs?since=1h" />
      <Tile label="Database" value={figures.databaseBytes === undefined ? "–" : bytes(figures.databaseBytes)} note="tables and indexes" />
    </dl>
  );
}

const takeoverNote = ({ takenOver }: Figures) => (takenOver === undefined ? "each worker counts its own" : "by this process");

const Rate = ({ value, unit }: { value: string; unit: string }) => (
  <>
    {value}
    <span className="ml-0.5 text-base font-normal text-muted">{unit}</span>
  </>
);
