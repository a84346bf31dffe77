import type { ReactNode } from "react";
import { Link } from "wouter";
import { Checkbox } from "../../parts/field.tsx";
import { shortId } from "../../parts/format.ts";
import { StatusBadge, statusLooks } from "../../parts/status.tsx";
import { duration, Elapsed, RelativeTime } from "../../parts/time.tsx";
import type { ListedRun } from "./found.ts";

const grid = "grid grid-cols-[1.75rem_8rem_minmax(9rem,1.2fr)_6.5rem_6.5rem_7rem_7rem_minmax(8rem,2fr)] items-center gap-x-3 px-4 lg:px-6";
const titles = ["Status", "Graph / assistant", "Run", "Thread", "Created", "Duration", "Error"];

/** The heights of a row in pixels. A row is one line of a table, or a card of three lines on a narrow screen. */
export const rowHeights = { wide: 40, narrow: 84 };

/** The row of column titles. `choose` is the box that selects all runs. */
export function RunHeader({ choose }: { choose: ReactNode }) {
  return (
    <div className={`${grid} h-9 border-b border-line bg-page text-xs font-medium text-muted`}>
      <div role="columnheader">{choose ?? <span className="sr-only">Choose</span>}</div>
      {titles.map((title) => (
        <div key={title} role="columnheader">
          {title}
        </div>
      ))}
    </div>
  );
}

interface Props {
  run: ListedRun | undefined;
  assistantName: string | undefined;
  isWide: boolean;
  isChosen: boolean;
  /** Called when the person selects the run or removes it from the selection. No function is given if the page offers no actions. */
  onChoose: ((isChosen: boolean, withShift: boolean) => void) | undefined;
}

/** A run in the list. Values from runs are shown as plain text. */
export function RunRow({ run, isWide, ...more }: Props) {
  if (!run)
    return (
      <div role="cell" className="flex h-full items-center px-4 lg:px-6">
        <div className="h-3.5 w-full animate-pulse rounded-sm bg-sunken" />
      </div>
    );
  return isWide ? <Wide run={run} {...more} /> : <Narrow run={run} {...more} />;
}

type Loaded = Omit<Props, "run" | "isWide"> & { run: ListedRun };

const look = (isChosen: boolean) => `h-full border-b border-line ${isChosen ? "bg-accent-soft" : "hover:bg-sunken"}`;

function Wide({ run, assistantName, isChosen, onChoose }: Loaded) {
  return (
    <div className={`${grid} ${look(isChosen)}`}>
      <div role="cell" className="flex">
        <Choose {...{ run, isChosen, onChoose }} />
      </div>
      <div role="cell">
        <StatusBadge status={run.status} />
      </div>
      <div role="cell" className="min-w-0">
        <Graph run={run} assistantName={assistantName} />
      </div>
      <div role="cell">
        <RunLink run={run} />
      </div>
      <div role="cell">
        <ThreadLink id={run.thread_id} />
      </div>
      <div role="cell">
        <RelativeTime time={run.created_at} className="text-sm" />
      </div>
      <div role="cell">
        <Duration run={run} />
      </div>
      <div role="cell" className="min-w-0">
        <ErrorText run={run} />
      </div>
    </div>
  );
}

function Narrow({ run, assistantName, isChosen, onChoose }: Loaded) {
  return (
    <div role="cell" className={`flex gap-3 px-4 py-2 ${look(isChosen)}`}>
      <Choose {...{ run, isChosen, onChoose }} />
      <div className="min-w-0 flex-1">
        <div className="flex items-center justify-between gap-2">
          <StatusBadge status={run.status} />
          <RelativeTime time={run.created_at} className="text-sm text-muted" />
        </div>
        <div className="flex items-baseline justify-between gap-2">
          <Graph run={run} assistantName={assistantName} />
          <Duration run={run} />
        </div>
        <div className="flex items-baseline gap-2">
          <RunLink run={run} />
          <ErrorText run={run} />
        </div>
      </div>
    </div>
  );
}

function Choose({ run, isChosen, onChoose }: Pick<Loaded, "run" | "isChosen" | "onChoose">) {
  if (!onChoose) return null;
  const label = `Choose run ${shortId(run.run_id)}, ${statusLooks[run.status]?.label ?? run.status}`;
  let withShift = false;
  return (
    <Checkbox
      label={label}
      isLabelHidden
      checked={isChosen}
      onClick={(event) => {
        withShift = event.shiftKey;
      }}
      onChange={(isOn) => onChoose(isOn, withShift)}
    />
  );
}

function Graph({ run: { graph_id }, assistantName }: Pick<Loaded, "run" | "assistantName">) {
  const isOther = assistantName !== undefined && assistantName !== graph_id;
  return (
    <span className="block truncate" title={isOther ? `${graph_id} / ${assistantName}` : (graph_id ?? "")}>
      {graph_id ?? "(graph unknown)"}
      {isOther && <span className="text-muted"> / {assistantName}</span>}
    </span>
  );
}

const RunLink = ({ run: { run_id, thread_id } }: Pick<Loaded, "run">) => (
  <Link href={`/threads/${thread_id}/runs/${run_id}`} title={run_id} className="font-mono text-xs text-accent hover:underline">
    {shortId(run_id)}
  </Link>
);

const ThreadLink = ({ id }: { id: string }) => (
  <Link href={`/threads/${id}`} title={id} className="font-mono text-xs text-muted hover:text-text hover:underline">
    {shortId(id)}
  </Link>
);

function Duration({ run: { duration_ms, started_at, ended_at } }: Pick<Loaded, "run">) {
  if (started_at !== null && ended_at === null) return <Elapsed since={started_at} />;
  return <span className="numbers text-sm whitespace-nowrap text-muted">{duration_ms === null ? "–" : duration(duration_ms)}</span>;
}

function ErrorText({ run: { error } }: Pick<Loaded, "run">) {
  if (!error) return null;
  const text = [error.error, error.message].filter((part) => typeof part === "string" && part !== "").join(": ");
  return (
    <span className="block truncate text-sm text-bad" title={text}>
      {text}
    </span>
  );
}
