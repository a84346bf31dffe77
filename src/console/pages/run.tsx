import { useMemo, useState } from "react";
import { Link, useLocation, useParams, useSearch } from "wouter";
import { ApiFailure } from "../api.ts";
import { Copy } from "../parts/copy.tsx";
import { shortId } from "../parts/format.ts";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { StatusBadge } from "../parts/status.tsx";
import { type Action, Actions } from "./run/actions.tsx";
import { spendingOf } from "./run/cost.ts";
import { isOpen, type Run, type RunPath, useAssistant, useLastState, useRun, useRunError, useTimeline } from "./run/data.ts";
import { useFollowed } from "./run/follow.ts";
import { Gantt } from "./run/gantt.tsx";
import { GraphPanel } from "./run/graph-panel.tsx";
import { factsByPath } from "./run/node-states.ts";
import { Notices } from "./run/notices.tsx";
import { RunTabs } from "./run/run-tabs.tsx";
import { runningNodes } from "./run/running.ts";
import { runningItems, tokensOf, treesOf } from "./run/spans.ts";
import { Summary } from "./run/summary.tsx";

const crumbs = [{ label: "Runs", to: "/runs" }];

/** The page of one run: its graph, its timeline, its input and its output. The page is updated while the run is open. */
export default function RunPage() {
  const { threadId = "", runId = "" } = useParams<{ threadId: string; runId: string }>();
  const path = useMemo(() => ({ threadId, runId }), [threadId, runId]);
  const { data: run, error, refetch } = useRun(path);
  if (error instanceof ApiFailure && (error.status === 404 || error.status === 422))
    return <Unknown path={path} sentence={error.message} />;
  if (run) return <Loaded run={run} path={path} />;
  return (
    <Page title={`Run ${shortId(runId)}`} breadcrumbs={crumbs}>
      {error ? (
        <Failure what="The run could not be loaded" error={error} retry={() => void refetch()} />
      ) : (
        <Skeleton lines={10} className="p-6" />
      )}
    </Page>
  );
}

function Unknown({ path: { runId }, sentence }: { path: RunPath; sentence: string }) {
  return (
    <Page title={`Run ${shortId(runId)}`} breadcrumbs={crumbs}>
      <Empty
        title="There is no such run"
        action={
          <Link href="/runs" className="text-accent underline">
            Go to the runs
          </Link>
        }
      >
        {sentence.replace(/\.?$/, ".")} It may have been deleted or rolled back, or its thread's time to live has passed.
      </Empty>
    </Page>
  );
}

function Loaded({ run, path }: { run: Run; path: RunPath }) {
  const [tab, openTab] = useTab();
  const [asked, ask] = useState<Action>();
  const [chosen, choose] = useState<string>();
  const goesOn = isOpen(run.status);
  const timelineQuery = useTimeline(path, goesOn);
  const measured = timelineQuery.data;
  const { data: state } = useLastState(path, goesOn);
  const { data: error } = useRunError(run);
  const { data: assistant } = useAssistant(run.assistant_id);
  const followed = useFollowed(path, goesOn || tab === "events");
  const trees = useMemo(() => (measured ? treesOf(measured.timeline) : []), [measured]);
  const running = useMemo(() => runningNodes(run, state, followed), [run, state, followed]);
  const facts = useMemo(() => factsByPath(trees, running), [trees, running]);
  const last = trees.at(-1);
  const since = Math.max(last?.from ?? 0, Date.parse(state?.created_at ?? "") || 0);
  const items = useMemo(() => (last && since > 0 ? runningItems(running, last.attempt.attempt, since) : []), [running, last, since]);
  const spending = useMemo(() => spendingOf(state, measured?.timeline), [state, measured]);
  return (
    <Page
      title={`Run ${shortId(run.run_id)}`}
      breadcrumbs={crumbs}
      aside={
        <>
          <Copy text={run.run_id} label="Copy the id of the run" />
          <StatusBadge status={run.status} />
        </>
      }
      actions={<Actions {...{ run, asked, ask }} />}
    >
      <Summary {...{ run, timeline: measured?.timeline, assistantName: assistant?.name, tokens: tokensOf(trees), spending }} />
      <div className="flex flex-col gap-4 p-4 lg:p-6">
        <Notices {...{ run, state, followed }} />
        <div className="grid gap-4 xl:grid-cols-[2fr_3fr]">
          <div className="flex h-80 min-w-0 flex-col *:flex-1 md:h-[clamp(26rem,62dvh,42rem)]">
            <GraphPanel assistantId={run.assistant_id} facts={facts} chosen={chosen} onChoose={choose} />
          </div>
          <div className="flex h-88 min-w-0 flex-col *:flex-1 md:h-[clamp(26rem,62dvh,42rem)]">
            {measured && <Gantt {...measured} trees={trees} running={items} chosen={chosen} />}
            {!measured && timelineQuery.error && (
              <Failure what="The timeline could not be loaded" error={timelineQuery.error} retry={() => void timelineQuery.refetch()} />
            )}
            {!measured && !timelineQuery.error && <Skeleton lines={8} />}
          </div>
        </div>
        <section aria-label="Details" className="flex min-h-64 min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-surface">
          <RunTabs {...{ run, state, error, followed, spending, open: tab, onOpen: openTab }} onFork={() => ask("fork")} />
        </section>
      </div>
    </Page>
  );
}

/** Returns the id of the open tab, and a function that opens a tab. The URL contains the id, so that a link can lead to a tab. */
function useTab(): [tab: string | undefined, open: (id: string) => void] {
  const tab = new URLSearchParams(useSearch()).get("tab") ?? undefined;
  const [location, goTo] = useLocation();
  return [tab, (id) => goTo(`${location}?tab=${id}`, { replace: true })];
}
