import { Link } from "wouter";
import { answerWithHeaders, api } from "../api.ts";
import { useLive } from "../live.ts";
import { Button, buttonLook } from "../parts/button.tsx";
import { type Column, DataTable } from "../parts/data-table.tsx";
import { plural } from "../parts/format.ts";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { Tag } from "../parts/status.tsx";
import { RelativeTime } from "../parts/time.tsx";
import { useMayAct } from "../settings.ts";
import { FilterBar, type Filters, isFiltered, noFilters, toSearch, useFilters } from "./assistants/filters.tsx";
import { type Assistant, isSystem, useGraphs } from "./assistants/reads.ts";

const pageSize = 50;

/** The list of assistants. An assistant is a graph with a name, a context and a configuration. */
export default function Assistants() {
  const [filters, change] = useFilters();
  const mayAct = useMayAct();
  const graphs = useGraphs();
  const found = useLive(["assistants", "search", filters], async (signal) => {
    const body = { ...toSearch(filters), limit: pageSize, offset: filters.offset };
    const { data, headers } = await answerWithHeaders(api.POST("/assistants/search", { body, signal }));
    return { assistants: data, total: Number(headers.get("x-pagination-total") ?? data.length) };
  });
  return (
    <Page
      title="Assistants"
      aside={found.data && <span className="numbers text-muted">{plural(found.data.total, "assistant")}</span>}
      actions={
        mayAct && (
          <Link href="/assistants/new" className={buttonLook("primary")}>
            New assistant
          </Link>
        )
      }
    >
      <FilterBar filters={filters} change={change} graphs={graphs.data ?? []} />
      <Content {...{ filters, change }} found={found.data} error={found.error} retry={() => void found.refetch()} />
    </Page>
  );
}

interface ContentProps {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  found: { assistants: Assistant[]; total: number } | undefined;
  error: unknown;
  retry: () => void;
}

function Content({ filters, change, found, error, retry }: ContentProps) {
  if (!found)
    return error ? <Failure what="The assistants could not be loaded" error={error} retry={retry} /> : <Skeleton className="p-6" />;
  const { assistants, total } = found;
  if (assistants.length === 0 && filters.offset === 0)
    return isFiltered(filters) ? <NoMatch clear={() => change(noFilters)} /> : <NoAssistants />;
  return (
    <div className="p-4 lg:p-6">
      <DataTable label="Assistants" columns={columns} rows={assistants} keyOf={({ assistant_id }) => assistant_id} />
      <Pager
        offset={filters.offset}
        shown={assistants.length}
        size={pageSize}
        total={total}
        hasMore={filters.offset + assistants.length < total}
        onOffset={(offset) => change({ offset })}
      />
    </div>
  );
}

const columns: Column<Assistant>[] = [
  {
    title: "Name",
    cell: ({ assistant_id, graph_id, name, description }) => (
      <div className="max-w-md min-w-0">
        <Link href={`/assistants/${assistant_id}`} className="font-medium break-words hover:underline">
          {name || "(no name)"}
        </Link>
        <code className="block font-mono text-xs break-all text-muted md:hidden">{graph_id}</code>
        {description && (
          <p className="line-clamp-2 text-sm break-words text-muted" title={description}>
            {description}
          </p>
        )}
      </div>
    ),
  },
  { title: "Graph", cell: ({ graph_id }) => <code className="font-mono text-xs break-all">{graph_id}</code>, isWideOnly: true },
  { title: "Kind", cell: (assistant) => <KindTag assistant={assistant} />, isWideOnly: true },
  { title: "Version", cell: ({ version }) => version, isNumber: true },
  { title: "Created", cell: ({ created_at }) => <RelativeTime time={created_at} className="text-sm text-muted" />, isWideOnly: true },
];

const KindTag = ({ assistant }: { assistant: Assistant }) =>
  isSystem(assistant) ? <Tag>System</Tag> : <span className="text-sm">Own</span>;

const NoMatch = ({ clear }: { clear: () => void }) => (
  <Empty title="No assistant matches" action={<Button onClick={clear}>Clear filters</Button>} />
);

const NoAssistants = () => (
  <Empty title="There are no assistants">
    The service makes one for each graph when it starts. If you expect some here, your credential may not be allowed to see them.
  </Empty>
);
