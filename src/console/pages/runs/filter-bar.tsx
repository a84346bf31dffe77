import { useState } from "react";
import type { Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { DelayedInput } from "../../parts/delayed-input.tsx";
import { Input, Select } from "../../parts/field.tsx";
import { Icon } from "../../parts/icons.tsx";
import { type RunStatus, runStatuses, statusLooks } from "../../parts/status.tsx";
import { ages, type Filters, isFiltered, noFilters, parseMetadata } from "./filters.ts";

interface Props {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  assistants: Schemas["Assistant"][];
}

/** The filters of the runs. On a narrow screen, all filters except the status are folded. */
export function FilterBar({ filters, change, assistants }: Props) {
  const [isOpen, setOpen] = useState(false);
  const metadata = parseMetadata(filters.metadata);
  return (
    <search className="block border-b border-line px-4 py-3 lg:px-6">
      <div className="flex min-h-8 flex-wrap items-center gap-2">
        <Statuses chosen={filters.status} onChange={(status) => change({ status })} />
        <Button kind="quiet" className="md:hidden" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Fewer filters" : "More filters"}
        </Button>
        {isFiltered(filters) && (
          <Button kind="quiet" icon="cross" onClick={() => change(noFilters)}>
            Clear filters
          </Button>
        )}
      </div>
      <div className={`mt-3 grid gap-2 sm:grid-cols-2 md:grid md:grid-cols-3 lg:grid-cols-5 ${isOpen ? "" : "max-md:hidden"}`}>
        <Select
          label="Graph"
          isLabelHidden
          value={filters.graph}
          options={graphOptions(assistants, filters.graph)}
          onChange={(graph) => change({ graph })}
        />
        <Select
          label="Assistant"
          isLabelHidden
          value={filters.assistant}
          options={assistantOptions(assistants, filters)}
          onChange={(assistant) => change({ assistant })}
        />
        <Select label="Time" isLabelHidden value={filters.since} options={timeOptions} onChange={(since) => change({ since })} />
        <DelayedInput label="Error contains" value={filters.error} onChange={(error) => change({ error })} />
        <DelayedInput
          label="Metadata key=value"
          value={filters.metadata}
          error={"problem" in metadata ? metadata.problem : undefined}
          onChange={(text) => change({ metadata: text })}
        />
        {filters.since === "custom" && (
          <>
            <Input label="From" type="datetime-local" value={filters.from} onChange={({ target }) => change({ from: target.value })} />
            <Input label="To" type="datetime-local" value={filters.to} onChange={({ target }) => change({ to: target.value })} />
          </>
        )}
      </div>
    </search>
  );
}

const timeOptions = [
  { value: "", label: "Any time" },
  ...Object.entries(ages).map(([value, { label }]) => ({ value, label })),
  { value: "custom", label: "Between two times …" },
];

function graphOptions(assistants: Schemas["Assistant"][], chosen: string) {
  const graphs = new Set([...assistants.map(({ graph_id }) => graph_id), ...(chosen ? [chosen] : [])]);
  return [{ value: "", label: "Every graph" }, ...[...graphs].sort().map((graph) => ({ value: graph, label: graph }))];
}

function assistantOptions(assistants: Schemas["Assistant"][], { graph, assistant: chosen }: Filters) {
  const shown = assistants
    .filter(({ graph_id }) => !graph || graph_id === graph)
    .map(({ assistant_id, name }) => ({ value: assistant_id, label: name }));
  const isListed = !chosen || shown.some(({ value }) => value === chosen);
  const sorted = shown.sort((one, other) => one.label.localeCompare(other.label));
  return [{ value: "", label: "Every assistant" }, ...sorted, ...(isListed ? [] : [{ value: chosen, label: chosen }])];
}

function Statuses({ chosen, onChange }: { chosen: RunStatus[]; onChange: (status: RunStatus[]) => void }) {
  return (
    <fieldset className="flex flex-wrap gap-1.5">
      <legend className="sr-only">Status</legend>
      {runStatuses.map((status) => {
        const isOn = chosen.includes(status);
        const { label, icon, colour } = statusLooks[status];
        return (
          <button
            key={status}
            type="button"
            aria-pressed={isOn}
            onClick={() => onChange(isOn ? chosen.filter((one) => one !== status) : [...chosen, status])}
            className={`inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-sm ${isOn ? "border-accent bg-accent-soft text-text" : "border-line text-muted hover:border-line-strong hover:text-text"}`}
          >
            <Icon name={icon} className={`size-3.5 ${colour}`} />
            {label}
          </button>
        );
      })}
    </fieldset>
  );
}
