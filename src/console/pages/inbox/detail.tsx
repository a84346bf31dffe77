import type { ReactNode } from "react";
import { Link } from "wouter";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { shortId } from "../../parts/format.ts";
import { Icon } from "../../parts/icons.tsx";
import { AnswerForm } from "../../parts/questions/answer-form.tsx";
import { Details } from "../../parts/questions/details.tsx";
import { keyOf, NoLongerOpen, type OpenQuestion, useMustWait } from "../../parts/questions/open-questions.ts";
import { readQuestion } from "../../parts/questions/read-question.ts";
import { RelativeTime } from "../../parts/time.tsx";
import { useMayAct } from "../../settings.ts";
import { Deadline } from "./deadline.tsx";

interface Props {
  question: OpenQuestion;
  /** Whether the question is still open. It is not open after somebody else has answered it, or after its time has run out. */
  isOpen: boolean;
  isBusy: boolean;
  /** The error with which the service refused the last answer. Undefined if the answer was not refused. */
  failure: unknown;
  onAnswer: (answer: unknown) => void;
  onNext: () => void;
}

/** The chosen question with the form that answers it. */
export function Detail({ question, isOpen, isBusy, failure, onAnswer, onNext }: Props) {
  const mayAct = useMayAct();
  const read = readQuestion({ id: question.interrupt_id, value: question.value, schema: question.response_schema });
  const isWaiting = useMustWait(question);
  const wasTooLate = failure instanceof NoLongerOpen && failure.askedAt === question.created_at;
  const isOver = !isWaiting && (!isOpen || wasTooLate);
  return (
    <div className="mx-auto max-w-3xl space-y-5 p-4 lg:p-6">
      <header>
        <h2 className="text-lg font-semibold break-words whitespace-pre-wrap">{read.prompt}</h2>
        <Facts question={question} />
      </header>
      {isOver && <Over question={question} onNext={onNext} />}
      <Details value={read.details} />
      {failure !== undefined && !isOver && <Refused error={failure} />}
      {!isOver && mayAct && (
        <div id="answer">
          <AnswerForm question={read} draft={keyOf(question)} isBusy={isBusy || isWaiting} onAnswer={onAnswer} />
        </div>
      )}
      <div role="status">{isWaiting && <AtWork />}</div>
      {!isOver && !mayAct && <p className="text-muted">The console is in read-only mode, so it offers no answer.</p>}
    </div>
  );
}

function Facts({ question: { graph_id, thread_id, run_id, created_at, deadline } }: { question: OpenQuestion }) {
  return (
    <p className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
      <span>{graph_id ?? "graph unknown"}</span>
      <Go to={`/threads/${thread_id}`} title={thread_id}>
        Thread {shortId(thread_id)}
      </Go>
      {run_id && (
        <Go to={`/threads/${thread_id}/runs/${run_id}`} title={run_id}>
          Run {shortId(run_id)}
        </Go>
      )}
      <span>
        asked <RelativeTime time={created_at} />
      </span>
      {deadline && <Deadline time={deadline} />}
    </p>
  );
}

const Go = ({ to, title, children }: { to: string; title: string; children: ReactNode }) => (
  <Link href={to} title={title} className="text-accent hover:underline">
    {children}
  </Link>
);

/** Shows why the answer was refused. The form keeps the typed text. */
function Refused({ error }: { error: unknown }) {
  return (
    <div role="alert" className="flex items-start gap-2.5 rounded-lg bg-bad-soft px-3.5 py-2.5 text-bad">
      <Icon name="warning" className="mt-0.5" />
      <div className="min-w-0">
        <p className="font-medium">The answer was not accepted.</p>
        <p className="mt-0.5 break-words">{sentenceOf(error)}</p>
      </div>
    </div>
  );
}

/** Shows that the thread still processes the answer to another question. */
function AtWork() {
  return (
    <p className="flex items-start gap-2.5 rounded-lg bg-sunken px-3.5 py-2.5 text-muted">
      <Icon name="running" className="mt-0.5 animate-spin [animation-duration:1.6s]" />
      The thread works with your answer to another of its questions. You can send your answer to this one after that.
    </p>
  );
}

/** Shows that the question is no longer open, and links to the run that has continued. */
function Over({ question: { thread_id: threadId, run_id }, onNext }: { question: OpenQuestion; onNext: () => void }) {
  const read = (signal: AbortSignal) =>
    answerOf(api.GET("/threads/{threadId}/runs", { params: { path: { threadId }, query: { limit: 1 } }, signal }));
  const { data } = useLive(["question-over", threadId, run_id ?? ""], read, { every: 60_000 });
  const later = data?.find((run) => run.run_id !== run_id);
  const isTimedOut = later?.metadata.timed_out !== undefined && later.metadata.timed_out !== false;
  return (
    <div role="status" className="flex flex-wrap items-start gap-x-3 gap-y-2 rounded-lg bg-warn-soft px-3.5 py-2.5 text-warn">
      <Icon name="warning" className="mt-0.5" />
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium">This question is no longer open.</p>
        <p className="mt-0.5">
          {isTimedOut
            ? "Its time ran out, so the graph went on without an answer. "
            : "Somebody else has answered it, or its thread has gone on. "}
          {later && (
            <Link href={`/threads/${threadId}/runs/${later.run_id}`} className="underline">
              See the run that followed
            </Link>
          )}
        </p>
      </div>
      <Button onClick={onNext}>Next question</Button>
    </div>
  );
}
