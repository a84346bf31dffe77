import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { DraftsContext } from "../parts/draft.ts";
import { useIsWide } from "../parts/media.ts";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { ComposerForm } from "./playground/form/composer-form.tsx";
import { PastRuns } from "./playground/form/past-runs.tsx";
import { TargetPicker } from "./playground/form/target-picker.tsx";
import { unfinishedRun } from "./playground/history.ts";
import { RunPanel } from "./playground/run/run-panel.tsx";
import { resumeRun, useSession } from "./playground/run/session.ts";
import { type Assistant, useAssistants, useSchemas, useTarget } from "./playground/targets.ts";

/** The typed texts of each assistant's form. They are kept while another assistant or another page is open. */
const drafts = new Map<string, unknown>();

/** The page that runs a graph with a typed input and shows its progress. */
export default function Playground() {
  const assistants = useAssistants();
  return (
    <Page title="Playground">
      {assistants.data ? (
        <DraftsContext value={drafts}>
          <Workbench assistants={assistants.data} />
        </DraftsContext>
      ) : assistants.error ? (
        <Failure what="The graphs could not be loaded" error={assistants.error} retry={() => void assistants.refetch()} />
      ) : (
        <Skeleton lines={9} className="p-6" />
      )}
    </Page>
  );
}

function Workbench({ assistants }: { assistants: Assistant[] }) {
  const { target, unknown, choose } = useTarget(assistants);
  const session = useSession();
  const isWide = useIsWide();
  const result = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const open = unfinishedRun();
    if (!session && open) void resumeRun(open);
  }, [session]);
  if (assistants.length === 0)
    return (
      <Empty title="There are no graphs" command="npx ensemble start">
        A service without graphs has nothing to run. List yours in langgraph.json, and start it again:
      </Empty>
    );
  const run = session && session.phase !== "refused" ? session : undefined;
  const toResult = () => {
    if (!isWide) result.current?.scrollIntoView({ behavior: "smooth", block: "start" });
  };
  return (
    <div className="grid lg:h-[calc(100dvh-3.5rem)] lg:grid-cols-[minmax(20rem,26rem)_minmax(0,1fr)]">
      <div className="flex min-w-0 flex-col gap-5 p-4 pb-0 lg:overflow-y-auto lg:border-r lg:border-line lg:p-6 lg:pb-0">
        {unknown && (
          <p role="alert" className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
            There is no graph or assistant “<span className="break-all">{unknown}</span>” here.
          </p>
        )}
        {target && <TargetPicker {...{ assistants, target, choose }} />}
        {target && <Composing key={target.assistant_id} target={target} onStart={toResult} />}
      </div>
      <div ref={result} className="min-w-0 scroll-mt-2 p-4 lg:overflow-y-auto lg:p-6">
        <div className="mx-auto max-w-5xl space-y-6">
          {run ? <RunPanel key={run.serial} session={run} /> : <NothingRun />}
          <PastRuns />
        </div>
      </div>
    </div>
  );
}

const NothingRun = () => (
  <Empty title="Nothing has run here yet">
    Fill the form and press Run. What the models write, each step, and the output appear here while the graph works. You may leave the page
    meanwhile: the run goes on.
  </Empty>
);

/** Reads the schemas of an assistant and shows its form. */
function Composing({ target, onStart }: { target: Assistant; onStart: () => void }) {
  const id = target.assistant_id;
  const schemas = useSchemas(id);
  const session = useSession();
  const [search] = useSearchParams();
  const [resets, setResets] = useState(0);
  const data = schemas.isPlaceholderData ? undefined : schemas.data;
  if (schemas.error && !data)
    return <Failure what="The schemas of this graph could not be loaded" error={schemas.error} retry={() => void schemas.refetch()} />;
  if (!data) return <Skeleton lines={6} />;
  return (
    <ComposerForm
      key={resets}
      target={target}
      schemas={data}
      session={session?.assistantId === id ? session : undefined}
      threadId={search.get("thread") ?? undefined}
      onStart={onStart}
      onReset={() => {
        for (const name of drafts.keys()) if (name.startsWith(`${id} `)) drafts.delete(name);
        setResets(resets + 1);
      }}
    />
  );
}
