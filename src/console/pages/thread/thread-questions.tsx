import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Icon } from "../../parts/icons.tsx";
import { AnswerForm } from "../../parts/questions/answer-form.tsx";
import { Details } from "../../parts/questions/details.tsx";
import { answerQuestion, keyOf, type OpenQuestion, refusalOf } from "../../parts/questions/open-questions.ts";
import { readQuestion } from "../../parts/questions/read-question.ts";
import { RelativeTime } from "../../parts/time.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import { refreshThread, type ThreadFacts } from "./data.ts";

/** The open questions of a thread, with the same forms as in the inbox. */
export function ThreadQuestions({ thread, isBusy }: { thread: ThreadFacts; isBusy: boolean }) {
  const { thread_id: threadId, status, state_updated_at: version } = thread;
  const { data = [] } = useLive(
    ["questions", "thread", threadId, version],
    (signal) => answerOf(api.POST("/interrupts/search", { body: { thread_id: threadId, limit: 100, sort_order: "asc" }, signal })),
    { every: 10_000, enabled: status === "interrupted" && !isBusy },
  );
  if (status !== "interrupted" || isBusy) return null;
  return data.map((question) => <OpenQuestionCard key={keyOf(question)} question={question} />);
}

function OpenQuestionCard({ question }: { question: OpenQuestion }) {
  const mayAct = useMayAct();
  const [isBusy, setBusy] = useState(false);
  const read = readQuestion({ id: question.interrupt_id, value: question.value, schema: question.response_schema });
  const answer = async (value: unknown) => {
    setBusy(true);
    await answerQuestion(question, value, streamed).catch((error) => tell(refusalOf(error), true)); // this card may be gone by then
    setBusy(false);
    refreshThread(question.thread_id);
  };
  return (
    <section aria-label="Open question" className="space-y-4 rounded-lg border border-warn bg-surface p-4">
      <header>
        <h3 className="flex items-start gap-2 font-semibold">
          <Icon name="pause" className="mt-0.5 text-warn" />
          <span className="min-w-0 break-words whitespace-pre-wrap">{read.prompt}</span>
        </h3>
        <p className="mt-0.5 pl-6 text-xs text-muted">
          The run waits for an answer. Asked <RelativeTime time={question.created_at} />.
        </p>
      </header>
      <Details value={read.details} />
      {mayAct && <AnswerForm question={read} draft={keyOf(question)} isBusy={isBusy} onAnswer={(value) => void answer(value)} />}
    </section>
  );
}

/** The stream options of the run that continues. The conversation shows tokens, so the run must stream its messages. */
const streamed = {
  stream_mode: ["values", "updates", "messages-tuple", "custom", "tasks", "tools", "checkpoints"] as const,
  stream_subgraphs: true,
  stream_resumable: true,
};
