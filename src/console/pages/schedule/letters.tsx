import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { Button } from "../../parts/button.tsx";
import { Checkbox, Select } from "../../parts/field.tsx";
import { number, plural, shortId } from "../../parts/format.ts";
import { Pager } from "../../parts/pager.tsx";
import { Empty, Failure, Skeleton } from "../../parts/states.tsx";
import { Tag } from "../../parts/status.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { useMayAct } from "../../settings.ts";
import { LetterDialog } from "./letter-dialog.tsx";
import { kindNames, stateNames, titleOf } from "./letter-looks.ts";
import { type Change, LettersChange } from "./letters-change.tsx";
import { type DeadLetter, type LetterFilters, lettersPerPage, useDeadLetters } from "./reads.ts";
import { type Selection, useSelection } from "./selection.ts";

/** The list of the dead letters: runs, webhooks, ticks of crons, and single items within runs that have failed for good. */
export function Letters() {
  const [filters, change] = useFilters();
  const found = useDeadLetters(filters);
  const selection = useSelection<DeadLetter>(({ id }) => id);
  const [open, setOpen] = useState<DeadLetter>();
  const [asked, setAsked] = useState<Change>();
  const { offset } = filters;
  return (
    <div className="space-y-3 p-4 lg:p-6">
      <FilterBar filters={filters} change={change} />
      {!found.data && found.error && (
        <Failure what="The dead letters could not be loaded" error={found.error} retry={() => void found.refetch()} />
      )}
      {!found.data && !found.error && <Skeleton />}
      {found.data && found.data.total === 0 && <NoLetters filters={filters} />}
      {found.data && found.data.total > 0 && (
        <>
          <Chosen letters={found.data.entries} selection={selection} isShown={filters.state === "dead"} onAsk={setAsked} />
          <ul aria-label="Dead letters" className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
            {found.data.entries.map((letter) => (
              <Row
                key={letter.id}
                letter={letter}
                isChosen={selection.chosen.has(letter.id)}
                onChoose={(isOn) => selection.choose([letter], isOn)}
                onOpen={() => setOpen(letter)}
              />
            ))}
          </ul>
          <Pager
            offset={offset}
            shown={found.data.entries.length}
            size={lettersPerPage}
            total={found.data.total}
            hasMore={offset + found.data.entries.length < found.data.total}
            onOffset={(next) => change({ offset: next })}
          />
        </>
      )}
      {open && <LetterDialog id={open.id} onAsk={setAsked} onClose={() => setOpen(undefined)} />}
      {asked && (
        <LettersChange
          change={asked}
          onDone={() => {
            selection.choose(asked.letters, false);
            setOpen(undefined);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

function useFilters(): [LetterFilters, (changes: Partial<LetterFilters>) => void] {
  const [params, setParams] = useSearchParams();
  const kind = params.get("kind") ?? "";
  const state = params.get("state") ?? "";
  const filters: LetterFilters = {
    kind: kind in kindNames ? (kind as DeadLetter["kind"]) : undefined,
    state: state in stateNames ? (state as DeadLetter["state"]) : "dead",
    offset: Number(params.get("offset")) || 0,
  };
  const change = (changes: Partial<LetterFilters>) => {
    const next = { ...filters, offset: 0, ...changes };
    setParams({
      tab: "letters",
      ...(next.kind && { kind: next.kind }),
      ...(next.state !== "dead" && { state: next.state }),
      ...(next.offset > 0 && { offset: String(next.offset) }),
    });
  };
  return [filters, change];
}

function FilterBar({ filters, change }: { filters: LetterFilters; change: (changes: Partial<LetterFilters>) => void }) {
  const options = (names: Record<string, string>) => Object.entries(names).map(([value, label]) => ({ value, label }));
  return (
    <search className="grid gap-2 sm:grid-cols-[minmax(0,12rem)_minmax(0,12rem)]">
      <Select
        label="Kind"
        isLabelHidden
        value={filters.kind ?? ""}
        options={[{ value: "", label: "Every kind" }, ...options(kindNames)]}
        onChange={(kind) => change({ kind: (kind || undefined) as LetterFilters["kind"] })}
      />
      <Select
        label="State"
        isLabelHidden
        value={filters.state}
        options={options(stateNames)}
        onChange={(state) => change({ state: state as LetterFilters["state"] })}
      />
    </search>
  );
}

function NoLetters({ filters: { kind, state } }: { filters: LetterFilters }) {
  if (kind || state !== "dead") return <Empty title="No letter matches the filters">Choose another kind or state.</Empty>;
  return (
    <Empty title="There are no dead letters">
      Work that failed for good appears here: runs, webhooks, ticks of crons, and the tasks, partitions, messages and compensations of
      patterns. You can start it again or discard it.
    </Empty>
  );
}

interface ChosenProps {
  letters: DeadLetter[];
  selection: Selection<DeadLetter>;
  isShown: boolean;
  onAsk: (change: Change) => void;
}

/** A box that chooses all letters of the page, and buttons that redrive or discard the chosen letters. */
function Chosen({ letters, selection: { chosen, choose }, isShown, onAsk }: ChosenProps) {
  const here = letters.filter(({ id }) => chosen.has(id)).length;
  if (!useMayAct() || !isShown) return null;
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-3">
      <Checkbox
        label="Choose all on this page"
        checked={here > 0 && here === letters.length}
        isMixed={here > 0 && here < letters.length}
        onChange={(isOn) => choose(letters, isOn)}
      />
      {chosen.size > 0 && (
        <>
          <Button kind="primary" icon="retry" onClick={() => onAsk({ action: "redrive", letters: [...chosen.values()] })}>
            Redrive {number(chosen.size)} chosen
          </Button>
          <Button kind="danger" onClick={() => onAsk({ action: "discard", letters: [...chosen.values()] })}>
            Discard {number(chosen.size)} chosen
          </Button>
        </>
      )}
    </div>
  );
}

interface RowProps {
  letter: DeadLetter;
  isChosen: boolean;
  onChoose: (isChosen: boolean) => void;
  onOpen: () => void;
}

function Row({ letter, isChosen, onChoose, onOpen }: RowProps) {
  const { id, kind, state, error, attempts, last_at, run_id, thread_id, graph_id, redrive } = letter;
  const mayAct = useMayAct();
  return (
    <li className={`flex flex-wrap items-start gap-3 px-4 py-3 sm:flex-nowrap ${isChosen ? "bg-accent-soft" : ""}`}>
      {mayAct && state === "dead" && (
        <Checkbox label={`Choose the letter ${shortId(id)}`} isLabelHidden checked={isChosen} onChange={onChoose} className="mt-1" />
      )}
      <div className="min-w-0 flex-1 basis-60">
        <p className="flex flex-wrap items-center gap-2">
          <Tag>{kindNames[kind]}</Tag>
          <span className="min-w-0 font-medium break-all">{titleOf(letter)}</span>
        </p>
        <p className="line-clamp-3 break-words text-bad">
          {error.type}: {error.message}
        </p>
        <p className="flex flex-wrap gap-x-3 text-sm text-muted">
          {graph_id && <span>{graph_id}</span>}
          {run_id && thread_id && <RunLink title="Run" run={{ run_id, thread_id }} />}
          {redrive && <RunLink title="Redriven by" run={redrive} />}
          <span>{plural(attempts, "failure")}</span>
          <span>
            failed <RelativeTime time={last_at} />
          </span>
        </p>
      </div>
      <Button aria-label={`Open the letter ${shortId(id)}`} onClick={onOpen}>
        Open
      </Button>
    </li>
  );
}

const RunLink = ({ title, run: { run_id, thread_id } }: { title: string; run: { run_id: string; thread_id: string } }) => (
  <span>
    {title}{" "}
    <Link href={`/threads/${thread_id}/runs/${run_id}`} title={run_id} className="font-mono text-xs text-accent hover:underline">
      {shortId(run_id)}
    </Link>
  </span>
);
