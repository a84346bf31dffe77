import { useSearchParams } from "wouter";
import { Button } from "../../parts/button.tsx";
import { Select } from "../../parts/field.tsx";
import type { CronFilters, NamedAssistant } from "./reads.ts";

export function useCronFilters(): [CronFilters, (changes: Partial<CronFilters>) => void] {
  const [params, setParams] = useSearchParams();
  const state = params.get("state") ?? "";
  const filters = {
    assistant: params.get("assistant") ?? "",
    state: state in states ? state : "",
    offset: Number(params.get("offset")) || 0,
  };
  const change = (changes: Partial<CronFilters>) => {
    const next = { ...filters, offset: 0, ...changes };
    const names = ["assistant", "state", "offset"] as const;
    const kept = names.filter((name) => next[name]).map((name) => [name, String(next[name])]);
    setParams(new URLSearchParams(kept), { replace: changes.offset === undefined });
  };
  return [filters, change];
}

export const isFiltered = ({ assistant, state }: CronFilters): boolean => assistant !== "" || state !== "";

const states: Record<string, string> = { active: "Active", paused: "Paused" };

interface Props {
  filters: CronFilters;
  change: (changes: Partial<CronFilters>) => void;
  assistants: NamedAssistant[];
}

export function FilterBar({ filters, change, assistants }: Props) {
  const { assistant, state } = filters;
  const isListed = assistant === "" || assistants.some(({ assistant_id }) => assistant_id === assistant);
  const options = [
    { value: "", label: "Every assistant" },
    ...assistants.map(({ assistant_id, name }) => ({ value: assistant_id, label: name })),
    ...(isListed ? [] : [{ value: assistant, label: assistant }]),
  ];
  return (
    <search className="grid gap-2 sm:grid-cols-[minmax(0,16rem)_minmax(0,12rem)_auto]">
      <Select label="Assistant" isLabelHidden value={assistant} options={options} onChange={(id) => change({ assistant: id })} />
      <Select
        label="State"
        isLabelHidden
        value={state}
        options={[{ value: "", label: "Active and paused" }, ...Object.entries(states).map(([value, label]) => ({ value, label }))]}
        onChange={(next) => change({ state: next })}
      />
      {isFiltered(filters) && (
        <Button kind="quiet" icon="cross" className="justify-self-start" onClick={() => change({ assistant: "", state: "" })}>
          Clear filters
        </Button>
      )}
    </search>
  );
}
