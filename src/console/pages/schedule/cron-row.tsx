import { Link } from "wouter";
import { Id } from "../../parts/copy.tsx";
import { shortId } from "../../parts/format.ts";
import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue } from "../../parts/page.tsx";
import { Tag } from "../../parts/status.tsx";
import { exactTime, RelativeTime } from "../../parts/time.tsx";
import { CronActions } from "./cron-actions.tsx";
import { LastRuns } from "./last-runs.tsx";
import type { Cron, NamedAssistant } from "./reads.ts";

interface Props {
  cron: Cron;
  assistant: NamedAssistant | undefined;
}

/** A cron in the list: its next tick, its last runs, and its actions. */
export function CronRow({ cron, assistant }: Props) {
  const name = assistant?.name ?? shortId(cron.assistant_id);
  return (
    <li className="px-4 py-3" aria-label={`${name}, ${cron.schedule}`}>
      <div className="grid items-center gap-x-4 gap-y-2 md:grid-cols-[minmax(0,2fr)_8rem_minmax(0,1.2fr)_auto]">
        <div className="min-w-0">
          <p className="flex items-center gap-2">
            <Link href={`/assistants/${cron.assistant_id}`} className="min-w-0 truncate font-medium hover:underline">
              {name}
            </Link>
            <StateTag cron={cron} />
          </p>
          <p className="flex flex-wrap items-baseline gap-x-2 text-sm text-muted">
            <code className="font-mono text-xs text-text">{cron.schedule}</code>
            <span>{cron.timezone ?? "UTC"}</span>
          </p>
        </div>
        <Next cron={cron} />
        <LastRuns cron={cron} />
        <CronActions cron={cron} name={name} />
      </div>
      <details className="mt-1">
        <summary className="w-fit text-sm text-muted hover:text-text">Details</summary>
        <Details cron={cron} />
      </details>
    </li>
  );
}

const isOver = ({ enabled, next_run_date }: Cron) => enabled && next_run_date === null;

function StateTag({ cron }: { cron: Cron }) {
  if (!cron.enabled)
    return (
      <Tag tone="warn" icon="pause">
        Paused
      </Tag>
    );
  return isOver(cron) ? <Tag icon="check">Over</Tag> : null;
}

function Next({ cron: { next_run_date: next } }: { cron: Cron }) {
  return (
    <p className="text-sm">
      <span className="text-muted">Next </span>
      {next === null ? "–" : <RelativeTime time={next} />}
    </p>
  );
}

function Details({ cron }: { cron: Cron }) {
  const { cron_id, thread_id, end_time, on_run_completed, user_id, created_at, payload, metadata } = cron;
  const thread = thread_id && (
    <Link key="thread" href={`/threads/${thread_id}`} title={thread_id} className="font-mono text-xs text-accent hover:underline">
      {shortId(thread_id)}
    </Link>
  );
  const entries: [string, React.ReactNode][] = [
    ["Id", <Id key="id" id={cron_id} />],
    [
      "Thread",
      thread ?? (on_run_completed === "keep" ? "A new one for each run, which is kept" : "A new one for each run, deleted afterwards"),
    ],
    ["Ends", end_time === null ? "Never" : exactTime(end_time)],
    ["Owner of the runs", user_id ?? "–"],
    ["Created", <RelativeTime key="created" time={created_at} />],
  ];
  return (
    <div className="grid gap-4 py-2 md:grid-cols-2">
      <div className="self-start">
        <KeyValue entries={entries} />
      </div>
      <div className="min-w-0 space-y-3">
        <Value label="Payload" value={payload} />
        {Object.keys(metadata).length > 0 && <Value label="Metadata" value={metadata} />}
      </div>
    </div>
  );
}

const Value = ({ label, value }: { label: string; value: unknown }) => (
  <div>
    <p className="mb-1 text-sm text-muted">{label}</p>
    <JsonView value={value} label={label} />
  </div>
);
