import type { ReactNode } from "react";
import { Link } from "wouter";
import { answerOf, api } from "../../api.ts";
import { useLive } from "../../live.ts";
import { plural } from "../../parts/format.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";
import type { Run, State } from "./data.ts";
import type { Followed } from "./follow.ts";

/** Shows a notice if the run waits for a worker, if it waits for answers, or if its stream is broken. */
export function Notices({ run, state, followed }: { run: Run; state: State | null | undefined; followed: Followed }) {
  const questions = useOpenQuestions(run.thread_id, state);
  return (
    <>
      {run.waiting_for_graph !== undefined && (
        <Notice icon="warning">
          The run waits for a worker that has the graph <code className="font-mono">{run.waiting_for_graph}</code>. No live worker has it.
          Start one with it, or cancel the run.
        </Notice>
      )}
      {questions > 0 && (
        <Notice icon="inbox">
          The run asked {plural(questions, "question")} and waits for the answer.{" "}
          <Link href={`/threads/${run.thread_id}`} className="font-medium underline">
            Answer in the thread
          </Link>{" "}
          or in the{" "}
          <Link href="/inbox" className="font-medium underline">
            inbox
          </Link>
          .
        </Notice>
      )}
      {run.status === "running" && followed.state === "reconnecting" && (
        <Notice icon="retry">The stream of the run broke. The page reconnects and continues after the last event.</Notice>
      )}
    </>
  );
}

/** Returns the number of questions in a state that are still open. A later run of the thread may have answered some of them. */
function useOpenQuestions(threadId: string, state: State | null | undefined): number {
  const asked = new Set(((state?.interrupts ?? []) as { id?: string }[]).map(({ id }) => id));
  const { data: thread } = useLive(
    ["thread-of-run", threadId],
    (signal) => answerOf(api.GET("/threads/{threadId}", { params: { path: { threadId } }, signal })),
    { enabled: asked.size > 0 },
  );
  if (asked.size === 0 || thread?.status !== "interrupted") return 0;
  const open = Object.values(thread.interrupts as Record<string, { id?: string }[]>).flat();
  return open.filter(({ id }) => id !== undefined && asked.has(id)).length;
}

const Notice = ({ icon, children }: { icon: IconName; children: ReactNode }) => (
  <p role="status" className="flex items-start gap-2 rounded-lg bg-warn-soft px-4 py-2.5 text-warn">
    <Icon name={icon} className="mt-0.5" />
    <span className="min-w-0">{children}</span>
  </p>
);
