import { useLive } from "../../live.ts";
import { number, plural } from "../../parts/format.ts";
import { searchQuestions } from "../../parts/questions/open-questions.ts";

const readTotal = async (signal: AbortSignal) => (await searchQuestions({ limit: 1, select: ["thread_id", "interrupt_id"] }, signal)).total;

/** The number of open questions, shown in the navigation. */
export function QuestionsBadge() {
  const { data = 0 } = useLive(["questions", "total"], readTotal, { every: 10_000 });
  if (data === 0) return null;
  return (
    <span
      title={plural(data, "open question")}
      className="numbers ml-auto rounded-full bg-accent-soft px-1.5 text-xs leading-5 font-medium text-accent"
    >
      {number(data)}
      <span className="sr-only"> open {data === 1 ? "question" : "questions"}</span>
    </span>
  );
}
