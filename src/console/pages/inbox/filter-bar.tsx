import { useEffect, useRef, useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { Input, Select } from "../../parts/field.tsx";
import { ages, deadlines, type Filters, isFiltered, noFilters, problemOfThread, sorts } from "./filters.ts";

interface Props {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
}

/** The filters of the inbox. On a narrow screen they are folded. */
export function FilterBar({ filters, change }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <search className="block border-b border-line px-4 py-3 lg:px-6">
      <div className="flex items-center gap-2 md:hidden">
        <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Hide filters" : "Filters and order"}
        </Button>
        {isFiltered(filters) && <Clear change={change} />}
      </div>
      <div className={`grid gap-2 md:grid md:grid-cols-3 lg:grid-cols-[repeat(5,minmax(0,1fr))_auto] ${isOpen ? "mt-3" : "max-md:hidden"}`}>
        <Select label="Order" isLabelHidden value={filters.sort} options={optionsOf(sorts)} onChange={(sort) => change({ sort })} />
        <Graphs {...{ filters, change }} />
        <Select
          label="Age"
          isLabelHidden
          value={filters.age}
          options={[{ value: "", label: "Any age" }, ...optionsOf(ages)]}
          onChange={(age) => change({ age })}
        />
        <Select
          label="Deadline"
          isLabelHidden
          value={filters.deadline}
          options={[{ value: "", label: "With or without deadline" }, ...optionsOf(deadlines)]}
          onChange={(deadline) => change({ deadline })}
        />
        <ThreadInput value={filters.thread} onChange={(thread) => change({ thread })} />
        <div className="max-md:hidden">{isFiltered(filters) && <Clear change={change} />}</div>
      </div>
    </search>
  );
}

const Clear = ({ change }: Pick<Props, "change">) => (
  <Button kind="quiet" icon="cross" onClick={() => change({ ...noFilters, sort: "" })}>
    Clear filters
  </Button>
);

const optionsOf = (all: Record<string, { label: string }>) => Object.entries(all).map(([value, { label }]) => ({ value, label }));

function Graphs({ filters, change }: Props) {
  const read = (signal: AbortSignal) => answerOf(api.POST("/assistants/search", { body: { limit: 1_000, select: ["graph_id"] }, signal }));
  const { data = [] } = useLive(["graphs"], read, { every: 60_000 });
  const graphs = new Set([...data.map(({ graph_id }) => graph_id), ...(filters.graph ? [filters.graph] : [])]);
  const options = [...graphs].sort().map((graph) => ({ value: graph, label: graph }));
  return (
    <Select
      label="Graph"
      isLabelHidden
      value={filters.graph}
      options={[{ value: "", label: "Every graph" }, ...options]}
      onChange={(graph) => change({ graph })}
    />
  );
}

/** A field for the id of a thread. The id takes effect when the person stops typing, because each change starts a search. */
function ThreadInput({ value, onChange }: { value: string; onChange: (thread: string) => void }) {
  const [text, setText] = useState(value);
  const change = useRef(onChange);
  change.current = onChange;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => change.current(text.trim()), 350);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <Input
      label="Thread"
      isLabelHidden
      type="search"
      placeholder="Thread id"
      value={text}
      error={problemOfThread(value)}
      onChange={({ target }) => setText(target.value)}
    />
  );
}
