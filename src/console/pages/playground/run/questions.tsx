import { useState } from "react";
import { useLive } from "../../../live.ts";
import { Icon } from "../../../parts/icons.tsx";
import { AnswerForm } from "../../../parts/questions/answer-form.tsx";
import { Details } from "../../../parts/questions/details.tsx";
import { answerQuestion, keyOf, type OpenQuestion, refusalOf, searchQuestions } from "../../../parts/questions/open-questions.ts";
import { readQuestion } from "../../../parts/questions/read-question.ts";
import { Failure, Skeleton } from "../../../parts/states.tsx";
import { tell } from "../../../parts/toast.tsx";
import { useMayAct } from "../../../settings.ts";
import { answerStreams } from "../request.ts";
import { followAnswer, type Session } from "./session.ts";

/** The questions of the run, each with a form for the answer. After an answer, the page follows the run that continues. */
export function Questions({ session }: { session: Session }) {
  const { threadId } = session;
  const open = useLive(["questions", "of", threadId], (signal) => searchQuestions({ thread_id: threadId, limit: 100 }, signal));
  const questions = open.data?.rows ?? [];
  return (
    <section aria-label="Questions" className="space-y-5 rounded-lg border border-line bg-surface p-4">
      {open.isLoading && <Skeleton lines={3} />}
      {open.error && !open.data && (
        <Failure what="The questions could not be loaded" error={open.error} retry={() => void open.refetch()} />
      )}
      {open.data && questions.length === 0 && (
        <p className="text-muted">The question is no longer open. Somebody else has answered it, or its time ran out.</p>
      )}
      {questions.map((question) => (
        <QuestionForm key={keyOf(question)} question={question} session={session} />
      ))}
    </section>
  );
}

function QuestionForm({ question, session }: { question: OpenQuestion; session: Session }) {
  const [isBusy, setBusy] = useState(false);
  const mayAct = useMayAct();
  const read = readQuestion({ id: question.interrupt_id, value: question.value, schema: question.response_schema });
  const answer = async (value: unknown) => {
    setBusy(true);
    try {
      void followAnswer(session, await answerQuestion(question, value, answerStreams));
    } catch (error) {
      tell(refusalOf(error), true); // this form may be gone by then
    }
    setBusy(false);
  };
  return (
    <article aria-label={read.prompt} className="space-y-3">
      <h3 className="flex items-start gap-2 font-medium">
        <Icon name="inbox" className="mt-0.5 text-warn" />
        <span className="min-w-0 break-words whitespace-pre-wrap">{read.prompt}</span>
      </h3>
      <Details value={read.details} />
      {mayAct ? (
        <AnswerForm question={read} draft={keyOf(question)} isBusy={isBusy} onAnswer={(value) => void answer(value)} />
      ) : (
        <p className="text-muted">The console is in read-only mode, so it offers no answer.</p>
      )}
    </article>
  );
}
