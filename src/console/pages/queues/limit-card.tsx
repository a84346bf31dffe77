import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { answerOf, api, type Schemas, sentenceOf } from "../../api.ts";
import { queries, useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { type Column, DataTable } from "../../parts/data-table.tsx";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { number } from "../../parts/format.ts";
import { Tag } from "../../parts/status.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import { LimitDialog } from "./limit-dialog.tsx";

type QueueLimit = Schemas["QueueLimit"];

/** One limit with its numbers, its keys and its actions. */
export function LimitCard({ limit }: { limit: QueueLimit }) {
  const [areKeysOpen, setKeysOpen] = useState(false);
  const { name, graphs, running, waiting, total, refused, shadow, override } = limit;
  return (
    <section aria-label={`Limit ${name}`} className="rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
        <h2 className="min-w-0 font-semibold break-all">{name}</h2>
        {total === 0 && <Tag tone="warn">Paused</Tag>}
        {shadow && <Tag>Shadow</Tag>}
        {override && <Tag>Set at run time</Tag>}
        <Actions limit={limit} />
      </div>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 py-3 md:grid-cols-4">
        <Fact title="Running" value={total === null ? number(running) : `${number(running)} of ${number(total)}`} />
        <Fact title="Waiting" value={waiting >= mostCounted ? `${number(mostCounted)} or more` : number(waiting)} />
        <Fact title={shadow ? "Would have refused" : "Held up"} value={number(refused)} />
        <Fact title="Values" value={valuesOf(limit) || "none"} />
      </dl>
      <div className="flex flex-wrap items-center gap-3 px-4 pb-3 text-sm">
        <span className="text-muted">
          Graphs:{" "}
          {graphs.map((graph, index) => (
            <span key={graph}>
              {index > 0 && ", "}
              <Link href={`/runs?graph=${encodeURIComponent(graph)}&status=pending,running`} className="text-accent underline">
                {graph}
              </Link>
            </span>
          ))}
        </span>
        <Button kind="quiet" aria-expanded={areKeysOpen} onClick={() => setKeysOpen(!areKeysOpen)}>
          {areKeysOpen ? "Hide the keys" : "Show the keys"}
        </Button>
      </div>
      {areKeysOpen && <Keys name={name} />}
    </section>
  );
}

/** The number up to which the service counts waiting runs. The page adds "or more" to this number. */
const mostCounted = 10_000;

const Fact = ({ title, value }: { title: string; value: string }) => (
  <div className="min-w-0">
    <dt className="text-xs text-muted">{title}</dt>
    <dd className="numbers break-words">{value}</dd>
  </div>
);

function valuesOf({ per_key, rate, max_waiting, daily_tokens, daily_dollars }: QueueLimit): string {
  const values = [
    per_key !== null && `${number(per_key)} of a key`,
    rate !== null && rate,
    max_waiting !== null && `${number(max_waiting)} may wait of a key`,
    daily_tokens !== null && `${number(daily_tokens)} tokens a day of a key`,
    daily_dollars !== null && `$${daily_dollars} a day of a key`,
  ];
  return values.filter(Boolean).join(", ");
}

type KeyRow = Schemas["KeyOfLimit"];
const columns: Column<KeyRow>[] = [
  { title: "Key", cell: ({ key }) => <span className="break-all">{key}</span> },
  { title: "Running", cell: ({ running }) => number(running), isNumber: true },
  { title: "Waiting", cell: ({ waiting }) => number(waiting), isNumber: true },
];

function Keys({ name }: { name: string }) {
  const limit = useLive(["limit", name], (signal) => answerOf(api.GET("/limits/{name}", { params: { path: { name } }, signal })), {
    every: 5_000,
  });
  const keys = limit.data?.keys;
  if (!keys) return <p className="px-4 pb-3 text-sm text-muted">{limit.error ? sentenceOf(limit.error) : "Loading …"}</p>;
  if (keys.length === 0) return <p className="px-4 pb-3 text-sm text-muted">No run with a queue key runs or waits.</p>;
  return (
    <div className="px-4 pb-4">
      <DataTable label={`Keys of ${name}`} columns={columns} rows={keys} keyOf={({ key }) => key} />
    </div>
  );
}

function Actions({ limit }: { limit: QueueLimit }) {
  const [open, setOpen] = useState<"edit" | "pause" | "reset">();
  const { name, configured, override } = limit;
  const close = () => setOpen(undefined);
  const change = useMutation({
    mutationFn: (action: "pause" | "reset") => {
      const params = { path: { name } };
      return action === "pause"
        ? answerOf(api.PUT("/limits/{name}", { params, body: { ...override, total: 0 } }))
        : answerOf(api.DELETE("/limits/{name}", { params }));
    },
    onSuccess: (_, action) => tell(action === "pause" ? `No run starts that ${name} counts.` : `The limit ${name} was reset.`),
    onError: (error) => tell(`The limit could not be changed. ${sentenceOf(error)}`, true),
    onSettled: () => {
      close();
      return queries.invalidateQueries({ queryKey: ["limits"] });
    },
  });
  if (!useMayAct()) return null;
  const reset = configured ? "Reset" : "Delete";
  return (
    <div className="ml-auto flex flex-wrap gap-2">
      <Button onClick={() => setOpen("edit")}>Edit</Button>
      {limit.total !== 0 && (
        <Button icon="pause" onClick={() => setOpen("pause")}>
          Pause
        </Button>
      )}
      {override && <Button onClick={() => setOpen("reset")}>{reset}</Button>}
      {open === "edit" && <LimitDialog limit={limit} onClose={close} />}
      {open === "pause" && (
        <ConfirmDialog
          title={`Pause ${name}?`}
          action="Pause"
          isDangerous
          isBusy={change.isPending}
          onConfirm={() => change.mutate("pause")}
          onClose={close}
        >
          <p>No run starts that this limit counts. Runs that are running go on, and new runs wait.</p>
        </ConfirmDialog>
      )}
      {open === "reset" && (
        <ConfirmDialog
          title={`${reset} ${name}?`}
          action={reset}
          isBusy={change.isPending}
          onConfirm={() => change.mutate("reset")}
          onClose={close}
        >
          <p>
            {configured
              ? "The values of langgraph.json are in force again."
              : "The limit is not in langgraph.json. It no longer holds up any run."}
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}
