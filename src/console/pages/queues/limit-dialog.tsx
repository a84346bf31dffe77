import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answerOf, api, type Schemas, sentenceOf } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Checkbox, Input } from "../../parts/field.tsx";
import { tell } from "../../parts/toast.tsx";

type QueueLimit = Schemas["QueueLimit"];

const fields = [
  { key: "total", label: "Runs at once", hint: "How many of the runs may run at once. 0 pauses them." },
  { key: "per_key", label: "Runs of a key at once", hint: "How many runs of one queue key may run at once." },
  { key: "max_waiting", label: "Waiting runs of a key", hint: "A request beyond that gets 429." },
  { key: "daily_tokens", label: "Tokens of a key in a day", hint: "When they are used, new runs of the key get 402 until 0:00 UTC." },
] as const;

type Draft = Record<"name" | "graphs" | "rate" | "daily_dollars" | (typeof fields)[number]["key"], string>;

const textOf = (value: number | string | null | undefined) => (value === null || value === undefined ? "" : String(value));

function draftOf(limit: QueueLimit | undefined): Draft {
  const { name = "", graphs = [], rate, daily_dollars } = limit ?? {};
  const ownGraphs = graphs.length === 1 && graphs[0] === name ? "" : graphs.join(", ");
  const counts = Object.fromEntries(fields.map(({ key }) => [key, textOf(limit?.[key])])) as Pick<Draft, (typeof fields)[number]["key"]>;
  return { name, graphs: ownGraphs, ...counts, daily_dollars: textOf(daily_dollars), rate: textOf(rate) };
}

/** Returns the body of the request that changes a limit. An empty field removes the limit's value, even a value from langgraph.json. */
function bodyOf(draft: Draft, shadow: boolean) {
  const graphs = draft.graphs
    .split(",")
    .map((graph) => graph.trim())
    .filter(Boolean);
  const count = (text: string) => (text.trim() === "" ? null : Number(text));
  return {
    ...(graphs.length > 0 && { graphs }),
    ...Object.fromEntries(fields.map(({ key }) => [key, count(draft[key])])),
    daily_dollars: count(draft.daily_dollars),
    rate: draft.rate.trim() || null,
    shadow,
  };
}

/** A dialog that changes the values of a limit at run time, or creates a limit. */
export function LimitDialog({ limit, onClose }: { limit?: QueueLimit; onClose: () => void }) {
  const [draft, setDraft] = useState(() => draftOf(limit));
  const [shadow, setShadow] = useState(limit?.shadow ?? false);
  const save = useMutation({
    mutationFn: () => answerOf(api.PUT("/limits/{name}", { params: { path: { name: draft.name.trim() } }, body: bodyOf(draft, shadow) })),
    onSuccess: ({ name }) => {
      tell(`The limit ${name} is in force.`);
      onClose();
      return queries.invalidateQueries({ queryKey: ["limits"] });
    },
  });
  const isWrongSum = !/^(\d+(\.\d+)?)?$/.test(draft.daily_dollars.trim());
  const wrong = isWrongSum || fields.some(({ key }) => !/^\d*$/.test(draft[key].trim()));
  const change =
    (key: keyof Draft) =>
    ({ target }: { target: { value: string } }) =>
      setDraft({ ...draft, [key]: target.value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!wrong) save.mutate();
  };
  return (
    <Dialog
      title={limit ? `Limit ${limit.name}` : "New limit"}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form="limit" disabled={save.isPending || draft.name.trim() === ""}>
            Save
          </Button>
        </>
      }
    >
      <form id="limit" aria-label="Limit" onSubmit={submit} className="space-y-3">
        {!limit && (
          <Input label="Name" value={draft.name} onChange={change("name")} hint="A graph, or any name if you name the graphs below." />
        )}
        <Input
          label="Graphs"
          value={draft.graphs}
          onChange={change("graphs")}
          hint="Separated by commas. Empty: the graph with the limit's name."
        />
        {fields.map(({ key, label, hint }) => (
          <Input
            key={key}
            label={label}
            hint={hint}
            inputMode="numeric"
            value={draft[key]}
            onChange={change(key)}
            error={/^\d*$/.test(draft[key].trim()) ? undefined : "Enter a whole number, or nothing."}
          />
        ))}
        <Input
          label="Dollars of a key in a day"
          hint="When they are spent, new runs of the key get 402 until 0:00 UTC."
          inputMode="decimal"
          value={draft.daily_dollars}
          onChange={change("daily_dollars")}
          error={isWrongSum ? "Enter an amount such as 2.50, or nothing." : undefined}
        />
        <Input
          label="Rate"
          value={draft.rate}
          onChange={change("rate")}
          hint="How many of the runs may start in a time, such as 100/m or 10/30s."
        />
        <Checkbox label="Only count what the limit would refuse (shadow)" checked={shadow} onChange={setShadow} />
        {save.error && (
          <p role="alert" className="text-sm text-bad">
            {sentenceOf(save.error)}
          </p>
        )}
      </form>
    </Dialog>
  );
}
