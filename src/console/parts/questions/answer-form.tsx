import type { AnswerProps } from "./answer-props.ts";
import { ApprovalForm } from "./approval-form.tsx";
import { CallsForm } from "./calls-form.tsx";
import { FieldsForm, SelectionForm, UnknownForm } from "./plain-forms.tsx";
import type { Question } from "./read-question.ts";

/**
 * The form that answers a question. Its buttons have the attribute `data-shortcut`, by which the inbox finds the button that a shortcut key
 * presses.
 */
export function AnswerForm({ question: { form }, ...props }: AnswerProps & { question: Question }) {
  switch (form.kind) {
    case "calls":
      return <CallsForm {...props} {...form} />;
    case "approval":
      return <ApprovalForm {...props} mayGiveReason={form.mayGiveReason} />;
    case "selection":
      return <SelectionForm {...props} options={form.options} />;
    case "fields":
      return <FieldsForm {...props} schema={form.schema} />;
    default:
      return <UnknownForm {...props} isText={form.isText} />;
  }
}
