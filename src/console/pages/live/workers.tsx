import type { Schemas } from "../../api.ts";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { plural } from "../../parts/format.ts";
import { Empty } from "../../parts/states.tsx";
import { Tag } from "../../parts/status.tsx";
import { RelativeTime } from "../../parts/time.tsx";

type Worker = Schemas["Worker"];

const columns: Column<Worker>[] = [
  {
    title: "Worker",
    cell: ({ host, pid, worker_id }) => (
      <span title={worker_id} className="whitespace-nowrap">
        {host} <span className="numbers text-muted">{pid}</span>
      </span>
    ),
  },
  {
    title: "State",
    cell: ({ alive }) =>
      alive ? (
        <Tag tone="good" icon="check">
          Alive
        </Tag>
      ) : (
        <Tag tone="bad" icon="cross">
          Lost
        </Tag>
      ),
  },
  { title: "Slots in use", cell: ({ running, slots }) => <Slots running={running} slots={slots} /> },
  {
    title: "Graphs",
    cell: ({ graphs }) => <span title={graphs?.join(", ")}>{graphs ? plural(graphs.length, "graph") : "unknown"}</span>,
    isWideOnly: true,
  },
  { title: "Version", cell: ({ version }) => version ?? "unknown", isWideOnly: true },
  { title: "Started", cell: ({ started_at }) => <RelativeTime time={started_at} />, isWideOnly: true },
  { title: "Last heartbeat", cell: ({ heartbeat_at }) => <RelativeTime time={heartbeat_at} /> },
];

function Slots({ running, slots }: { running: number; slots: number | null }) {
  const share = slots ? Math.min(1, running / slots) : 0;
  return (
    <span className="flex items-center gap-2">
      <span className="hidden h-1.5 w-16 overflow-hidden rounded-full bg-sunken md:block" aria-hidden="true">
        <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="numbers whitespace-nowrap">
        {running} of {slots ?? "?"}
      </span>
    </span>
  );
}

/** The workers with their slots and heartbeats. */
export function Workers({ workers }: { workers: Worker[] }) {
  if (workers.length === 0)
    return (
      <div className="rounded-lg border border-line bg-surface">
        <Empty title="No worker is running" command="ENSEMBLE_ROLE=worker npx ensemble start">
          Runs are accepted and wait. A worker executes them. This command starts one with the same DATABASE_URL:
        </Empty>
      </div>
    );
  return <DataTable label="Workers" columns={columns} rows={workers} keyOf={({ worker_id }) => worker_id} />;
}
