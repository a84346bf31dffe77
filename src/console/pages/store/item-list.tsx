import { Link } from "wouter";
import { Button } from "../../parts/button.tsx";
import { DelayedInput } from "../../parts/delayed-input.tsx";
import { parseObject, problemOf } from "../../parts/json-field.tsx";
import { Pager } from "../../parts/pager.tsx";
import { Empty, Failure, Skeleton } from "../../parts/states.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { isSamePath, linkTo, type Navigation, type Place } from "./place.ts";
import { type FoundItem, pageSize, useItems } from "./reads.ts";

/** The items in a namespace and in the namespaces below it, with a search. */
export function ItemList({ place, go }: Navigation) {
  const items = useItems(place);
  return (
    <div className="flex min-w-0 flex-col">
      <Search place={place} go={go} />
      {items.data ? (
        <Found {...{ place, go }} items={items.data.items} hasMore={items.data.hasMore} />
      ) : items.error ? (
        <Failure what="The items could not be loaded" error={items.error} retry={() => void items.refetch()} />
      ) : (
        <Skeleton lines={6} className="p-4" />
      )}
    </div>
  );
}

const isFiltered = ({ query, filter }: Place) => query !== "" || filter !== "";

function Search({ place, go }: Navigation) {
  const { query, filter } = place;
  const change = (changes: Partial<Place>) => go({ ...changes, offset: 0 }, { replace: true });
  return (
    <search className="@container block border-b border-line px-4 py-3">
      <div className="grid gap-2 @md:grid-cols-2">
        <DelayedInput label="Search text" value={query} onChange={(text) => change({ query: text })} />
        <DelayedInput
          label={'Filter, such as {"age": {"$gte": 18}}'}
          value={filter}
          error={problemOf(parseObject(filter))}
          onChange={(text) => change({ filter: text })}
        />
      </div>
      {query !== "" && (
        <p className="mt-2 text-xs text-muted">
          The best matches come first. If <code className="font-mono">store.index</code> is set in langgraph.json, the service compares
          meaning. If it is not set, no embeddings are used, and the service counts the words that an item contains.
        </p>
      )}
      {isFiltered(place) && (
        <Button kind="quiet" icon="cross" className="mt-1 -ml-3" onClick={() => change({ query: "", filter: "" })}>
          Clear search
        </Button>
      )}
    </search>
  );
}

function Found({ place, go, items, hasMore }: Navigation & { items: FoundItem[]; hasMore: boolean }) {
  if (items.length === 0 && place.offset === 0) return isFiltered(place) ? <Empty title="No item matches" /> : <NoItems {...place} />;
  return (
    <>
      <ul aria-label="Items" className="divide-y divide-line border-b border-line">
        {items.map((item) => (
          <Row key={JSON.stringify([item.namespace, item.key])} place={place} item={item} />
        ))}
      </ul>
      <div className="px-4">
        <Pager offset={place.offset} shown={items.length} size={pageSize} hasMore={hasMore} onOffset={(offset) => go({ offset })} />
      </div>
    </>
  );
}

function Row({ place, item }: { place: Place; item: FoundItem }) {
  const { namespace, key, value, updated_at, score } = item;
  const isOpen = place.key === key && isSamePath(place.keyNamespace, namespace);
  const below = namespace.slice(place.namespace.length).join(" / ");
  return (
    <li>
      <Link
        href={linkTo({ ...place, isNew: false, key, keyNamespace: namespace })}
        aria-current={isOpen ? "true" : undefined}
        className={`block px-4 py-2 focus-visible:-outline-offset-2 ${isOpen ? "bg-accent-soft" : "hover:bg-sunken"}`}
      >
        <span className="flex items-baseline gap-3">
          <span className="min-w-0 flex-1 truncate font-medium" title={key}>
            {below && <span className="font-normal text-muted">{below} / </span>}
            {key === "" ? "(empty key)" : key}
          </span>
          {score !== undefined && <span className="numbers text-xs text-muted">score {score.toFixed(2)}</span>}
          <RelativeTime time={updated_at} className="text-xs text-muted" />
        </span>
        <span className="block truncate font-mono text-xs text-muted">{preview(value)}</span>
      </Link>
    </li>
  );
}

const preview = (value: unknown) => JSON.stringify(value).slice(0, 300);

function NoItems({ namespace }: Place) {
  if (namespace.length > 0) return <Empty title="There are no items in this namespace">They may have expired or been deleted.</Empty>;
  return (
    <Empty
      title="The store is empty"
      command={`curl -X PUT ${location.origin}/store/items -H 'content-type: application/json' -d '{"namespace": ["users", "ann"], "key": "m1", "value": {"text": "Likes rivers"}}'`}
    >
      The store keeps what graphs remember across threads. A graph writes with <code className="font-mono">config.store.put</code>, and a
      client with a request:
    </Empty>
  );
}
