import { Link } from "wouter";
import { shortId } from "../../parts/format.ts";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { StatusBadge } from "../../parts/status.tsx";
import { duration, RelativeTime } from "../../parts/time.tsx";
import { type ThreadFacts, useRuns } from "./data.ts";

/** The newest runs of a thread. */
export function RunsList({ thread: { thread_id: threadId, status } }: { thread: ThreadFacts }) {
  const { data, error, refetch } = useRuns(threadId, status === "busy");
  if (!data)
    return error ? (
      <Failure what="The runs could not be loaded" error={error} retry={() => void refetch()} />
    ) : (
      <Skeleton className="p-4" />
    );
  if (data.length === 0) return <p className="p-4 text-muted">The thread has had no run.</p>;
  return (
    <div>
      <ul aria-label="Runs">
        {data.map(({ run_id, status: one, created_at, duration_ms, error: failed }) => (
          <li key={run_id} className="border-b border-line px-4 py-2.5">
            <div className="flex items-center gap-3">
              <StatusBadge status={one} />
              <Link href={`/threads/${threadId}/runs/${run_id}`} title={run_id} className="font-mono text-xs text-accent hover:underline">
                {shortId(run_id)}
              </Link>
              <span className="numbers ml-auto text-xs text-muted">{duration_ms === null ? "" : duration(duration_ms)}</span>
              <RelativeTime time={created_at} className="text-xs text-muted" />
            </div>
            {failed && (
              <p className="mt-0.5 truncate text-sm text-bad">
                {[failed.error, failed.message].filter((text) => typeof text === "string").join(": ")}
              </p>
            )}
          </li>
        ))}
      </ul>
      {data.length === 100 && <p className="p-4 text-xs text-muted">These are the newest 100 runs.</p>}
    </div>
  );
}
