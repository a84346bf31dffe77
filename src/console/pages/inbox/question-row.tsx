import { Icon, type IconName } from "../../parts/icons.tsx";
import type { OpenQuestion } from "../../parts/questions/open-questions.ts";
import { type Form, readQuestion } from "../../parts/questions/read-question.ts";
import { RelativeTime } from "../../parts/time.tsx";
import { Deadline } from "./deadline.tsx";

export const rowHeight = 76;

const kinds: Record<Form["kind"], { icon: IconName; label: string }> = {
  calls: { icon: "tool", label: "Tool approval" },
  approval: { icon: "check", label: "Approval" },
  selection: { icon: "list", label: "Selection" },
  fields: { icon: "pencil", label: "Input" },
  unknown: { icon: "braces", label: "Free form" },
};

interface Props {
  question: OpenQuestion | undefined;
  isChosen: boolean;
  onChoose: (question: OpenQuestion) => void;
}

/** A row of the list of questions: the question, its kind, its origin, and its urgency. */
export function QuestionRow({ question, isChosen, onChoose }: Props) {
  if (!question)
    return (
      <div role="cell" className="flex h-full items-center px-4">
        <div className="h-3.5 w-full animate-pulse rounded-sm bg-sunken" />
      </div>
    );
  const { summary, form } = readQuestion({ id: question.interrupt_id, value: question.value, schema: question.response_schema });
  const { icon, label } = kinds[form.kind];
  return (
    <div role="cell" className="h-full">
      <button
        type="button"
        aria-current={isChosen}
        onClick={() => onChoose(question)}
        className={`flex h-full w-full flex-col justify-center gap-1 border-b border-l-2 border-b-line px-4 text-left focus-visible:-outline-offset-2 ${isChosen ? "border-l-transparent md:border-l-accent md:bg-accent-soft" : "border-l-transparent hover:bg-sunken"}`}
      >
        <span className="line-clamp-1 font-medium break-all">{summary}</span>
        <span className="flex w-full items-center gap-1.5 text-xs text-muted">
          <Icon name={icon} className="size-3.5" />
          <span className="whitespace-nowrap">{label}</span>
          <span aria-hidden="true">·</span>
          <span className="truncate">{question.graph_id ?? "graph unknown"}</span>
        </span>
        <span className="flex w-full items-center gap-2 text-xs text-muted">
          <RelativeTime time={question.created_at} />
          <span className="ml-auto flex">{question.deadline && <Deadline time={question.deadline} />}</span>
        </span>
      </button>
    </div>
  );
}
