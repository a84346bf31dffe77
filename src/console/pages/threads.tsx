import { Link, useSearchParams } from "wouter";
import { answerWithHeaders, api } from "../api.ts";
import { Button } from "../parts/button.tsx";
import { DelayedInput } from "../parts/delayed-input.tsx";
import { plural, shortId } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { isObject } from "../parts/json-schema.ts";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { RelativeTime } from "../parts/time.tsx";
import { type PageOfRows, type Pages, usePages } from "../parts/use-pages.ts";
import { VirtualList } from "../parts/virtual-list.tsx";
import type { ThreadFacts } from "./thread/data.ts";
import { type Status, ThreadStatus, threadStatuses } from "./thread/thread-status.tsx";
import { readMetadata } from "./threads/metadata.ts";

type Row = Omit<ThreadFacts, "interrupts"> & { extracted?: { last?: unknown } };

const columns = ["thread_id", "status", "metadata", "created_at", "updated_at", "state_updated_at"] as const;

interface Filters {
  status: string;
  metadata: string;
}

async function searchThreads(
  { status, metadata }: Filters,
  at: { limit: number; offset: number },
  signal: AbortSignal,
): Promise<PageOfRows<Row>> {
  const found = readMetadata(metadata);
  const body = {
    ...(status in threadStatuses && { status: status as Status }),
    ...("value" in found && { metadata: found.value }),
    ...at,
    sort_by: "updated_at" as const,
    select: [...columns],
    extract: { last: "values.messages[-1].content" },
  };
  const { data, headers } = await answerWithHeaders(api.POST("/threads/search", { body, signal }));
  return { rows: data, total: Number(headers.get("x-pagination-total") ?? data.length) };
}

/** The page of all threads. The threads that changed last come first. */
export default function Threads() {
  const [params, setParams] = useSearchParams();
  const filters = { status: params.get("status") ?? "", metadata: params.get("metadata") ?? "" };
  const change = (changes: Partial<Filters>) =>
    setParams(new URLSearchParams(Object.entries({ ...filters, ...changes }).filter(([, value]) => value !== "")), { replace: true });
  const found = usePages<Row>({
    key: ["threads", JSON.stringify(filters)],
    pageSize: 50,
    every: 5_000,
    read: (at, signal) => searchThreads(filters, at, signal),
  });
  return (
    <Page
      title="Threads"
      aside={!found.isLoading && !found.error && <span className="numbers text-muted">{plural(found.total, "thread")}</span>}
    >
      <div className="flex h-[calc(100dvh-3.5rem)] flex-col max-lg:h-[calc(100dvh-7rem)]">
        <FilterBar filters={filters} change={change} />
        <List found={found} isFiltered={params.size > 0} clear={() => change({ status: "", metadata: "" })} />
      </div>
    </Page>
  );
}

function FilterBar({ filters, change }: { filters: Filters; change: (changes: Partial<Filters>) => void }) {
  const found = readMetadata(filters.metadata);
  return (
    <search className="flex flex-wrap items-start gap-x-4 gap-y-2 border-b border-line px-4 py-3 lg:px-6">
      <fieldset className="flex flex-wrap gap-1.5 py-0.5">
        <legend className="sr-only">Status</legend>
        {Object.entries(threadStatuses).map(([status, { label, icon, colour }]) => {
          const isOn = filters.status === status;
          return (
            <button
              key={status}
              type="button"
              aria-pressed={isOn}
              onClick={() => change({ status: isOn ? "" : status })}
              className={`inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-sm ${isOn ? "border-accent bg-accent-soft text-text" : "border-line text-muted hover:border-line-strong hover:text-text"}`}
            >
              <Icon name={icon} className={`size-3.5 ${colour}`} />
              {label}
            </button>
          );
        })}
      </fieldset>
      <DelayedInput
        label="Metadata key=value"
        className="w-full sm:w-64"
        value={filters.metadata}
        error={"problem" in found ? found.problem : undefined}
        onChange={(metadata) => change({ metadata })}
      />
    </search>
  );
}

function List({ found, isFiltered, clear }: { found: Pages<Row>; isFiltered: boolean; clear: () => void }) {
  if (found.error) return <Failure what="The threads could not be loaded" error={found.error} retry={found.refresh} />;
  if (found.isLoading) return <Skeleton lines={10} className="p-6" />;
  if (found.total === 0 && isFiltered)
    return (
      <Empty title="No thread matches" action={<Button onClick={clear}>Clear filters</Button>}>
        Threads that are older than their time to live are deleted.
      </Empty>
    );
  if (found.total === 0)
    return (
      <Empty title="There are no threads yet" command="ensemble run <graph>">
        A thread keeps the state of its runs, such as a conversation. Start a run to make the first one:
      </Empty>
    );
  return (
    <VirtualList
      label="Threads"
      count={found.total}
      rowHeight={60}
      onRange={found.onRange}
      row={(index) => <ThreadRow thread={found.at(index)} />}
    />
  );
}

function ThreadRow({ thread }: { thread: Row | undefined }) {
  if (!thread)
    return (
      <div role="cell" className="flex h-full items-center px-4 lg:px-6">
        <div className="h-3.5 w-full animate-pulse rounded-sm bg-sunken" />
      </div>
    );
  const { thread_id: id, status, metadata, updated_at, extracted } = thread;
  return (
    <div role="cell" className="h-full">
      <Link
        href={`/threads/${id}`}
        className="flex h-full flex-col justify-center gap-0.5 border-b border-line px-4 hover:bg-sunken focus-visible:-outline-offset-2 lg:px-6"
      >
        <span className="flex items-center gap-3">
          <code className="font-mono text-xs text-accent" title={id}>
            {shortId(id)}
          </code>
          <span className="truncate">{String(metadata.graph_id ?? "no graph yet")}</span>
          <span className="ml-auto flex">
            <ThreadStatus status={status} />
          </span>
        </span>
        <span className="flex items-center gap-3 text-xs text-muted">
          <span className="min-w-0 flex-1 truncate">{previewOf(extracted?.last)}</span>
          <RelativeTime time={updated_at} />
        </span>
      </Link>
    </div>
  );
}

/** Returns the beginning of the text of the last message, as a preview. */
function previewOf(content: unknown): string {
  if (typeof content === "string") return content.slice(0, 200);
  const block: unknown = Array.isArray(content) ? content.find((one) => isObject(one) && typeof one.text === "string") : undefined;
  return isObject(block) ? String(block.text).slice(0, 200) : "";
}
