import { Link } from "wouter";
import { Icon } from "../../parts/icons.tsx";
import { StatusBadge, statusLooks } from "../../parts/status.tsx";
import { RelativeTime, relative, useNow } from "../../parts/time.tsx";
import { type Cron, type LastRun, useLastRuns } from "./reads.ts";

const pathOf = ({ thread_id, run_id }: LastRun) => `/threads/${thread_id}/runs/${run_id}`;

/** Shows the last runs of a cron: the newest run with its status and its time, and the earlier runs as icons. */
export function LastRuns({ cron }: { cron: Cron }) {
  const runs = useLastRuns(cron.cron_id);
  if (!runs.data) return <p className="text-sm text-muted">{runs.error ? "Its runs could not be loaded." : "…"}</p>;
  const [last, ...earlier] = runs.data;
  if (!last) return <p className="text-sm text-muted">{whyNone(cron)}</p>;
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1">
      <Link href={pathOf(last)} className="inline-flex items-center gap-2 rounded-sm hover:underline">
        <StatusBadge status={last.status} />
        <RelativeTime time={last.created_at} className="text-sm text-muted" />
      </Link>
      <span className="flex gap-1">
        {earlier.map((run) => (
          <Earlier key={run.run_id} run={run} />
        ))}
      </span>
    </div>
  );
}

function Earlier({ run }: { run: LastRun }) {
  const { label, icon, colour } = statusLooks[run.status];
  const text = `${label}, ${relative(Date.parse(run.created_at), useNow(30_000))}`;
  return (
    <Link href={pathOf(run)} title={text} aria-label={text} className={`rounded-sm p-0.5 hover:bg-sunken ${colour}`}>
      <Icon name={icon} className="size-3.5" />
    </Link>
  );
}

const whyNone = ({ thread_id, on_run_completed }: Cron) =>
  thread_id === null && on_run_completed === "delete" ? "Its runs are deleted when they end" : "No runs yet";
