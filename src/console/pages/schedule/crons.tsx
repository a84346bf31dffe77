import { Link } from "wouter";
import { buttonLook } from "../../parts/button.tsx";
import { Pager } from "../../parts/pager.tsx";
import { Empty, Failure, Skeleton } from "../../parts/states.tsx";
import { useMayAct } from "../../settings.ts";
import { CronRow } from "./cron-row.tsx";
import { FilterBar, isFiltered, useCronFilters } from "./filters.tsx";
import { type Cron, cronsPerPage, type Listed, type NamedAssistant, useAssistants, useCrons } from "./reads.ts";

/** The list of crons, sorted by their next tick. */
export function Crons() {
  const [filters, change] = useCronFilters();
  const crons = useCrons(filters);
  const assistants = useAssistants();
  if (!crons.data)
    return crons.error ? (
      <Failure what="The crons could not be loaded" error={crons.error} retry={() => void crons.refetch()} />
    ) : (
      <Skeleton className="p-6" />
    );
  if (crons.data.total === 0 && !isFiltered(filters)) return <NoCrons assistants={assistants.data ?? []} />;
  return (
    <div className="space-y-4 p-4 lg:p-6">
      <FilterBar filters={filters} change={change} assistants={assistants.data ?? []} />
      <List crons={crons.data} assistants={assistants.data ?? []} />
      <Pager
        offset={filters.offset}
        shown={crons.data.entries.length}
        size={cronsPerPage}
        total={crons.data.total}
        hasMore={filters.offset + crons.data.entries.length < crons.data.total}
        onOffset={(offset) => change({ offset })}
      />
    </div>
  );
}

function List({ crons, assistants }: { crons: Listed<Cron>; assistants: NamedAssistant[] }) {
  if (crons.entries.length === 0) return <Empty title="No cron matches" />;
  return (
    <ul aria-label="Crons" className="divide-y divide-line rounded-lg border border-line bg-surface">
      {crons.entries.map((cron) => (
        <CronRow key={cron.cron_id} cron={cron} assistant={assistants.find(({ assistant_id }) => assistant_id === cron.assistant_id)} />
      ))}
    </ul>
  );
}

function NoCrons({ assistants }: { assistants: NamedAssistant[] }) {
  const mayAct = useMayAct();
  const graph = assistants[0]?.graph_id ?? "<graph>";
  return (
    <Empty
      title="There are no crons"
      command={`curl ${location.origin}/runs/crons -H 'content-type: application/json' -d '{"assistant_id": "${graph}", "schedule": "0 7 * * 1-5", "input": {}}'`}
      action={
        mayAct && (
          <Link href="/schedule/new" className={buttonLook("primary")}>
            New cron
          </Link>
        )
      }
    >
      A cron creates a run at each time of its schedule, such as every weekday at seven. This request makes one:
    </Empty>
  );
}
