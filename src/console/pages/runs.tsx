import { type Ref, useRef, useState } from "react";
import { answerOf, api, type Schemas, sentenceOf } from "../api.ts";
import { useLive } from "../live.ts";
import { Button } from "../parts/button.tsx";
import { Checkbox } from "../parts/field.tsx";
import { number, plural } from "../parts/format.ts";
import { useIsWide } from "../parts/media.ts";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { tell } from "../parts/toast.tsx";
import { type ListHandle, VirtualList } from "../parts/virtual-list.tsx";
import { useMayAct } from "../settings.ts";
import { type Action, BulkDialog } from "./runs/bulk-dialog.tsx";
import { FilterBar } from "./runs/filter-bar.tsx";
import { type Filters, isFiltered, noFilters, toSearch, useFilters } from "./runs/filters.ts";
import { type FoundRuns, searchRuns, useFoundRuns } from "./runs/found.ts";
import { RunHeader, RunRow, rowHeights } from "./runs/run-row.tsx";
import { type Selection, useSelection } from "./runs/selection.ts";

/** The maximum number of runs that a person can select. It is the largest page size of the API. */
const mostChosen = 1_000;

/** The page of the runs of all threads. It has a search, and actions on the selected runs. */
export default function Runs() {
  const [filters, change] = useFilters();
  const found = useFoundRuns(filters);
  const selection = useSelection(found.at);
  const list = useRef<ListHandle>(null);
  const assistants = useLive(["assistants"], (signal) => answerOf(api.POST("/assistants/search", { body: { limit: 1_000 }, signal })), {
    every: 60_000,
  });
  return (
    <Page title="Runs" isFull aside={!found.isLoading && found.error === undefined && <Total {...found} />}>
      <div className="flex min-h-0 flex-1 flex-col">
        <FilterBar filters={filters} change={change} assistants={assistants.data ?? []} />
        {selection.runs.length > 0 && <SelectionBar selection={selection} />}
        <div className="relative flex min-h-0 flex-1 flex-col">
          {found.newer > 0 && (
            <Button
              kind="primary"
              className="absolute top-11 left-1/2 z-20 -translate-x-1/2 rounded-full"
              onClick={() => list.current?.toTop()}
            >
              Show {plural(found.newer, "new run")}
            </Button>
          )}
          <Content {...{ filters, change, found, selection, list }} assistants={assistants.data ?? []} />
        </div>
      </div>
    </Page>
  );
}

const Total = ({ total, isEstimate }: FoundRuns) => (
  <span className="numbers text-muted">
    {isEstimate ? "about " : ""}
    {plural(total, "run")}
  </span>
);

interface ContentProps {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  found: FoundRuns;
  selection: Selection;
  list: Ref<ListHandle>;
  assistants: Schemas["Assistant"][];
}

function Content({ filters, change, found, selection, list, assistants }: ContentProps) {
  const isWide = useIsWide();
  const mayAct = useMayAct();
  if (found.error) return <Failure what="The runs could not be loaded" error={found.error} retry={found.refresh} />;
  if (found.isLoading) return <Skeleton lines={12} className="p-6" />;
  if (found.total === 0) return <NoRuns isFiltered={isFiltered(filters)} clear={() => change(noFilters)} assistants={assistants} />;
  const nameOf = (id: string) => assistants.find(({ assistant_id }) => assistant_id === id)?.name;
  return (
    <VirtualList
      key={isWide ? "table" : "cards"}
      handle={list}
      label="Runs"
      count={found.total}
      rowHeight={isWide ? rowHeights.wide : rowHeights.narrow}
      header={isWide && <RunHeader choose={mayAct && <ChooseAll {...{ filters, found, selection }} />} />}
      onRange={found.onRange}
      row={(index) => {
        const run = found.at(index);
        return (
          <RunRow
            run={run}
            isWide={isWide}
            assistantName={run && nameOf(run.assistant_id)}
            isChosen={run !== undefined && selection.has(run.run_id)}
            onChoose={mayAct ? (isChosen, withShift) => selection.toggle(index, isChosen, withShift) : undefined}
          />
        );
      }}
    />
  );
}

/** A box that selects all runs that match the filters, up to the limit of the API, or none. */
function ChooseAll({ filters, found, selection }: Pick<ContentProps, "filters" | "found" | "selection">) {
  const chosen = selection.runs.length;
  const isAll = chosen >= Math.min(found.total, mostChosen);
  const chooseAll = async () => {
    try {
      const { runs } = await searchRuns({ ...toSearch(filters), limit: mostChosen, select: ["run_id", "thread_id", "status"] });
      selection.add(runs);
      if (found.total > mostChosen) tell(`The newest ${number(mostChosen)} of ${number(found.total)} runs are chosen.`);
    } catch (error) {
      tell(`The runs could not be chosen. ${sentenceOf(error)}`, true);
    }
  };
  return (
    <Checkbox
      label={`Choose all runs, at most ${number(mostChosen)}`}
      isLabelHidden
      checked={chosen > 0 && isAll}
      isMixed={chosen > 0 && !isAll}
      onChange={(isOn) => (isOn ? void chooseAll() : selection.clear())}
    />
  );
}

/** The bar with the actions for the selected runs. */
function SelectionBar({ selection }: { selection: Selection }) {
  const [action, setAction] = useState<Action>();
  return (
    <section aria-label="Selection" className="flex flex-wrap items-center gap-2 border-b border-line bg-accent-soft px-4 py-2 lg:px-6">
      <span className="numbers mr-2 font-medium">{number(selection.runs.length)} chosen</span>
      <Button icon="cross" onClick={() => setAction("cancel")}>
        Cancel
      </Button>
      <Button icon="retry" onClick={() => setAction("retry")}>
        Retry
      </Button>
      <Button kind="danger" icon="trash" onClick={() => setAction("delete")}>
        Delete
      </Button>
      <Button kind="quiet" className="ml-auto" onClick={selection.clear}>
        Clear selection
      </Button>
      {action && <BulkDialog action={action} runs={selection.runs} onDone={selection.remove} onClose={() => setAction(undefined)} />}
    </section>
  );
}

function NoRuns({ isFiltered, clear, assistants }: { isFiltered: boolean; clear: () => void; assistants: Schemas["Assistant"][] }) {
  if (isFiltered)
    return (
      <Empty title="No run matches" action={<Button onClick={clear}>Clear filters</Button>}>
        Runs that are older than their thread's time to live are deleted.
      </Empty>
    );
  const graph = assistants[0]?.graph_id ?? "<graph>";
  return (
    <Empty title="There are no runs yet" command={`npx ensemble run ${graph}`}>
      Every run of every thread appears here. Start the first one with this command, or with any client of the API:
    </Empty>
  );
}
