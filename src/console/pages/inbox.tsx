import { useEffect, useMemo, useRef, useState } from "react";
import { Button, IconButton } from "../parts/button.tsx";
import { DraftsContext } from "../parts/draft.ts";
import { plural } from "../parts/format.ts";
import { Page } from "../parts/page.tsx";
import { keyOf, type OpenQuestion, searchQuestions } from "../parts/questions/open-questions.ts";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { type Pages, usePages } from "../parts/use-pages.ts";
import { VirtualList } from "../parts/virtual-list.tsx";
import { useAnswers } from "./inbox/answers.ts";
import { useChosen } from "./inbox/chosen.ts";
import { Detail } from "./inbox/detail.tsx";
import { FilterBar } from "./inbox/filter-bar.tsx";
import { type Filters, isFiltered, noFilters, toSearch, useFilters } from "./inbox/filters.ts";
import { QuestionRow, rowHeight } from "./inbox/question-row.tsx";
import { KeysDialog, useShortcuts } from "./inbox/shortcuts.tsx";

/** The open questions of all threads, and the forms that answer them. */
export default function Inbox() {
  const [filters, change] = useFilters();
  const [showsKeys, setShowsKeys] = useState(false);
  const drafts = useMemo(() => new Map<string, unknown>(), []);
  const { q, ...shown } = filters;
  const found = usePages<OpenQuestion>({
    key: ["questions", JSON.stringify(shown)],
    pageSize: 50,
    every: 5_000,
    read: (at, signal) => searchQuestions({ ...toSearch(filters), ...at }, signal),
  });
  const keysButton = <IconButton icon="keyboard" label="Show the keys" onClick={() => setShowsKeys(true)} />;
  return (
    <Page
      title="Inbox"
      aside={!found.isLoading && !found.error && <span className="numbers text-muted">{plural(found.total, "open question")}</span>}
      actions={keysButton}
    >
      <DraftsContext value={drafts}>
        <div className="flex h-[calc(100dvh-3.5rem)] flex-col max-lg:h-[calc(100dvh-7rem)]">
          <FilterBar filters={filters} change={change} />
          {found.error ? (
            <Failure what="The questions could not be loaded" error={found.error} retry={found.refresh} />
          ) : found.isLoading ? (
            <Skeleton lines={9} className="p-6" />
          ) : (
            <Content {...{ filters, change, found }} onHelp={() => setShowsKeys(true)} />
          )}
        </div>
      </DraftsContext>
      {showsKeys && <KeysDialog onClose={() => setShowsKeys(false)} />}
    </Page>
  );
}

interface ContentProps {
  filters: Filters;
  change: (changes: Partial<Filters>) => void;
  found: Pages<OpenQuestion>;
  onHelp: () => void;
}

/** The list at the left and the chosen question at the right. A narrow screen shows only one of the two. */
function Content({ filters, change, found, onHelp }: ContentProps) {
  const { question, index, isOpen, choose, step, leave } = useChosen({ filters, change, found });
  const answers = useAnswers();
  const isShown = useIsShown();
  const answer = async (answered: OpenQuestion, value: unknown) => {
    leave();
    const isAccepted = await answers.answer(answered, value);
    // If the service refuses an answer, the page goes back to the answered question. If the person is already typing in the next question,
    // the page stays there. Only a message and the list then show that the answered question is open again.
    if (!isAccepted && isShown.current && !document.activeElement?.matches("input, textarea, [contenteditable=true]")) choose(answered);
  };
  useShortcuts({
    next: () => step(1),
    previous: () => step(-1),
    open: () => {
      if (question) choose(question);
      const fields = document.querySelector<HTMLElement>("#answer :is(input, textarea, select, .cm-content)");
      (fields ?? document.querySelector<HTMLElement>("#answer button"))?.focus();
    },
    back: () => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
    help: onHelp,
  });
  if (!question && found.total === 0) return <NoQuestions filters={filters} clear={() => change({ ...noFilters, sort: "" })} />;
  const isPicked = filters.q !== "";
  return (
    <div className="flex min-h-0 flex-1">
      <div className={`flex min-h-0 w-full flex-col border-line md:w-80 md:border-r lg:w-96 ${isPicked ? "max-md:hidden" : ""}`}>
        {found.total === 0 && <p className="p-4 text-muted">No question is open.</p>}
        <VirtualList
          label="Open questions"
          count={found.total}
          rowHeight={rowHeight}
          onRange={found.onRange}
          row={(place) => <QuestionRow question={found.at(place)} isChosen={isOpen && place === index} onChoose={choose} />}
        />
      </div>
      <section aria-label="Question" className={`min-h-0 min-w-0 flex-1 overflow-auto ${isPicked ? "" : "max-md:hidden"}`}>
        <div className="border-b border-line px-2 py-1.5 md:hidden">
          <Button kind="quiet" onClick={() => change({ q: "" })}>
            ← All questions
          </Button>
        </div>
        {question && (
          <Detail
            key={keyOf(question)}
            question={question}
            isOpen={isOpen}
            isBusy={answers.isBusy(question)}
            failure={answers.failureOf(question)}
            onAnswer={(value) => void answer(question, value)}
            onNext={() => step(1)}
          />
        )}
      </section>
    </div>
  );
}

/** Returns a ref that is true until the person leaves the page. */
function useIsShown() {
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return isShown;
}

function NoQuestions({ filters, clear }: { filters: Filters; clear: () => void }) {
  if (isFiltered(filters))
    return (
      <Empty title="No question matches" action={<Button onClick={clear}>Clear filters</Button>}>
        Questions that were answered or whose time ran out are not here any more.
      </Empty>
    );
  return (
    <Empty title="Nobody has asked anything">
      <p>
        When a graph calls <code className="font-mono">interrupt()</code>, its question appears here, and you answer it on this page. The
        run waits for as long as it takes.
      </p>
    </Empty>
  );
}
