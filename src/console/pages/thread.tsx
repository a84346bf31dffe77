import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import { useParams, useSearchParams } from "wouter";
import { ApiFailure } from "../api.ts";
import { useLive } from "../live.ts";
import { DraftsContext } from "../parts/draft.ts";
import { shortId } from "../parts/format.ts";
import { useMedia } from "../parts/media.ts";
import { Page } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { settingsOf } from "../run-settings.ts";
import { Checkpoint } from "./thread/checkpoint.tsx";
import { Compare } from "./thread/compare.tsx";
import { idOf, readNewestRun, type State, type ThreadFacts, useHistory, useThread } from "./thread/data.ts";
import { Facts } from "./thread/facts.tsx";
import { messagesIn } from "./thread/messages.ts";
import { RunsList } from "./thread/runs-list.tsx";
import { StateView } from "./thread/state-view.tsx";
import { ThreadStatus } from "./thread/thread-status.tsx";
import { Timeline } from "./thread/timeline.tsx";

const Chat = lazy(() => import("./thread/chat.tsx"));

/** The page of a thread: its conversation or state, its checkpoints, its runs, and its metadata. */
export default function Thread() {
  const { thread: threadId = "" } = useParams();
  const { data, error, refetch } = useThread(threadId);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another thread has other drafts
  const drafts = useMemo(() => new Map<string, unknown>(), [threadId]);
  const isGone = error instanceof ApiFailure && error.status === 404;
  return (
    <Page
      title={`Thread ${shortId(threadId)}`}
      breadcrumbs={[{ label: "Threads", to: "/threads" }]}
      aside={data && !isGone && <ThreadStatus status={data.status} />}
    >
      {isGone && <Empty title="There is no such thread">It may have been deleted, or you may not see it.</Empty>}
      {!isGone && data && (
        <DraftsContext value={drafts}>
          <Loaded thread={data} />
        </DraftsContext>
      )}
      {!isGone && !data && error && <Failure what="The thread could not be loaded" error={error} retry={() => void refetch()} />}
      {!isGone && !data && !error && <Skeleton lines={9} className="p-6" />}
    </Page>
  );
}

function Loaded({ thread }: { thread: ThreadFacts }) {
  const { thread_id: threadId, status, state_updated_at: version } = thread;
  const history = useHistory(thread);
  const newest = useLive(["newest-run", threadId, version, status], (signal) => readNewestRun(threadId, signal), { every: 60_000 });
  const [at, change] = useChoice();
  const isWide = useMedia("(min-width: 72rem)");
  if (history.error) return <Failure what="The checkpoints could not be loaded" error={history.error} retry={history.refresh} />;
  if (history.isLoading || newest.data === undefined) return <Skeleton lines={9} className="p-6" />;
  const { states } = history;
  const chosen = states.find((state) => idOf(state) === at.checkpoint) ?? states[0];
  const other = states.find((state) => idOf(state) === at.compare);
  if (chosen && other) return <Compare one={chosen} other={other} states={states} onClose={() => change({ compare: "" })} />;
  const main = <Conversation thread={thread} states={states} newestRun={newest.data} />;
  const checkpoints =
    states.length > 0 && chosen ? (
      <div className="flex min-h-0 flex-1 flex-col overflow-auto">
        <div className="max-h-[45%] min-h-40 shrink-0 overflow-auto border-b border-line">
          <Timeline
            states={states}
            chosen={idOf(chosen)}
            onChoose={(checkpoint) => change({ checkpoint })}
            more={history.more}
            isLoadingMore={history.isLoadingMore}
          />
        </div>
        <Checkpoint
          key={idOf(chosen)}
          thread={thread}
          state={chosen}
          states={states}
          onChoose={(checkpoint) => change({ checkpoint })}
          onCompare={(compare) => change({ compare, checkpoint: idOf(chosen) })}
        />
      </div>
    ) : (
      <p className="p-4 text-muted">No checkpoint is stored yet.</p>
    );
  const beside = [
    { id: "checkpoints", label: "Checkpoints", content: checkpoints },
    {
      id: "runs",
      label: "Runs",
      content: (
        <Scrolled>
          <RunsList thread={thread} />
        </Scrolled>
      ),
    },
    {
      id: "facts",
      label: "Details",
      content: (
        <Scrolled>
          <Facts thread={thread} />
        </Scrolled>
      ),
    },
  ];
  const isChat = messagesIn(states[0]?.values) !== undefined;
  const tabs = isWide ? beside : [{ id: "main", label: isChat ? "Conversation" : "State", content: main }, ...beside];
  const open = tabs.some(({ id }) => id === at.tab) ? at.tab : tabs[0]?.id;
  return (
    <div className="flex h-[calc(100dvh-3.5rem)] min-h-0 max-lg:h-[calc(100dvh-7rem)]">
      {isWide && <div className="flex min-w-0 flex-1 flex-col border-r border-line">{main}</div>}
      <div className={`flex min-h-0 min-w-0 flex-col ${isWide ? "w-[30rem] shrink-0" : "flex-1"}`}>
        <Tabs label="Parts of the thread" tabs={tabs} open={open} onOpen={(tab) => change({ tab })} />
      </div>
    </div>
  );
}

const Scrolled = ({ children }: { children: ReactNode }) => <div className="h-full overflow-auto">{children}</div>;

interface ConversationProps {
  thread: ThreadFacts;
  states: State[];
  newestRun: Parameters<typeof StateView>[0]["newestRun"];
}

/** Shows a chat if the state has messages. Otherwise shows the state. */
function Conversation({ thread, states, newestRun }: ConversationProps) {
  const state = states[0];
  const [missed, setMissed] = useState("");
  if (!messagesIn(state?.values)) return <StateView thread={thread} state={state} newestRun={newestRun} />;
  const settings = newestRun
    ? settingsOf(newestRun)
    : { assistant_id: String(thread.metadata.assistant_id ?? thread.metadata.graph_id ?? "") };
  const retryFrom = states.find(({ values, next }) => {
    const last = messagesIn(values)?.at(-1) as { type?: unknown } | undefined;
    return last?.type === "human" && next.length > 0;
  });
  // If the chat has missed a change, a new chat component takes its place and reads the thread again. `mark` names the newest checkpoint
  // and whether the thread is busy, so each change makes at most one new component.
  const mark = `${state ? idOf(state) : ""} ${thread.status === "busy"}`;
  return (
    <Suspense fallback={<Skeleton lines={8} className="p-6" />}>
      <Chat
        key={`${thread.thread_id} ${missed}`}
        thread={thread}
        settings={settings}
        retryFrom={retryFrom && idOf(retryFrom)}
        stored={messagesIn(state?.values) ?? []}
        onBehind={() => setMissed(mark)}
      />
    </Suspense>
  );
}

interface Choice {
  checkpoint: string;
  compare: string;
  tab: string;
}

/** Returns the chosen checkpoint, the checkpoint to compare with, and the open tab. The URL contains them. */
function useChoice(): [Choice, (changes: Partial<Choice>) => void] {
  const [params, setParams] = useSearchParams();
  const at = { checkpoint: params.get("checkpoint") ?? "", compare: params.get("compare") ?? "", tab: params.get("tab") ?? "" };
  const change = useCallback(
    (changes: Partial<Choice>) =>
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          for (const [name, value] of Object.entries(changes))
            if (value) next.set(name, value);
            else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [at, change];
}
