import { useSearchParams } from "wouter";
import { Button } from "../../parts/button.tsx";
import { DelayedInput } from "../../parts/delayed-input.tsx";
import { Select } from "../../parts/field.tsx";
import { parseMetadata } from "../runs/filters.ts";

const names = ["name", "graph", "metadata"] as const;

/** The filters of the page, as the URL contains them. An empty text means that a filter is not set. */
export interface Filters extends Record<(typeof names)[number], string> {
  offset: number;
}

/**
 * Returns the filters in the URL, and a function that changes some of them in the URL. A change of a filter also goes back to the first
 * page.
 */
export function useFilters(): [Filters, (changes: Partial<Filters>) => void] {
  const [params, setParams] = useSearchParams();
  const read = (name: string) => params.get(name) ?? "";
  const filters = { name: read("name"), graph: read("graph"), metadata: read("metadata"), offset: Number(read("offset")) || 0 };
  const change = (changes: Partial<Filters>) => {
    const next = { ...filters, offset: 0, ...changes };
    const kept = [...names, "offset" as const].filter((name) => next[name]).map((name) => [name, String(next[name])]);
    setParams(new URLSearchParams(kept), { replace: changes.offset === undefined });
  };
  return [filters, change];
}

export const isFiltered = (filters: Filters): boolean => names.some((name) => filters[name] !== "");

export const noFilters = { name: "", graph: "", metadata: "" };

/** Returns the fields of a search request that apply these filters. */
export function toSearch({ name, graph, metadata }: Filters) {
  const found = parseMetadata(metadata);
  return { ...(name && { name }), ...(graph && { graph_id: graph }), ...("value" in found && { metadata: found.value }) };
}

interface Props {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  graphs: string[];
}

export function FilterBar({ filters, change, graphs }: Props) {
  const metadata = parseMetadata(filters.metadata);
  const all = graphs.includes(filters.graph) || !filters.graph ? graphs : [...graphs, filters.graph];
  return (
    <search className="grid gap-2 border-b border-line px-4 py-3 sm:grid-cols-[repeat(3,minmax(0,16rem))_auto] lg:px-6">
      <DelayedInput label="Name contains" value={filters.name} onChange={(name) => change({ name })} />
      <Select
        label="Graph"
        isLabelHidden
        value={filters.graph}
        options={[{ value: "", label: "Every graph" }, ...all.map((graph) => ({ value: graph, label: graph }))]}
        onChange={(graph) => change({ graph })}
      />
      <DelayedInput
        label="Metadata key=value"
        value={filters.metadata}
        error={"problem" in metadata ? metadata.problem : undefined}
        onChange={(text) => change({ metadata: text })}
      />
      {isFiltered(filters) && (
        <Button kind="quiet" icon="cross" className="justify-self-start" onClick={() => change(noFilters)}>
          Clear filters
        </Button>
      )}
    </search>
  );
}
