import { Link } from "wouter";
import { shortId } from "../../../parts/format.ts";
import { StatusBadge } from "../../../parts/status.tsx";
import { RelativeTime } from "../../../parts/time.tsx";
import { usePastRuns } from "../history.ts";

/** The last runs that were started in this tab. This list is lost when the tab closes, but the page of all runs still shows the runs. */
export function PastRuns() {
  const runs = usePastRuns();
  if (runs.length === 0) return null;
  return (
    <section aria-label="Runs of this tab">
      <h2 className="mb-1.5 text-sm font-medium">Runs of this tab</h2>
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
        {runs.map(({ runId, threadId, name, startedAt, status }) => (
          <li key={runId} className="flex items-center gap-2 px-3 py-1.5 text-sm">
            <Link href={`/threads/${threadId}/runs/${runId}`} className="min-w-0 flex-1 truncate hover:underline">
              {name} <span className="font-mono text-xs text-muted">{shortId(runId)}</span>
            </Link>
            <StatusBadge status={status} />
            <RelativeTime time={new Date(startedAt).toISOString()} className="w-20 text-right text-xs text-muted" />
          </li>
        ))}
      </ul>
    </section>
  );
}
