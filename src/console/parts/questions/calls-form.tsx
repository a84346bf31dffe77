import { useRef } from "react";
import { Button } from "../button.tsx";
import { useDraft } from "../draft.ts";
import { Input } from "../field.tsx";
import { Icon } from "../icons.tsx";
import { JsonView } from "../json-view.tsx";
import { SchemaForm } from "../schema-form.tsx";
import { useSchemaForm } from "../use-schema-form.ts";
import type { AnswerProps } from "./answer-props.ts";
import { Verdict } from "./approval-form.tsx";
import type { CallReview, Decision, Reviews } from "./read-reviews.ts";

interface Props extends AnswerProps, Reviews {}

/** Returns the person's decision on a tool call. Returns undefined if the person has entered invalid arguments. */
type Collect = () => Decision | undefined;

/**
 * The form with which a person decides on tool calls. The person can change the arguments of a call before approving the call. If there are
 * several calls, the person can decide on each call separately.
 */
export function CallsForm({ reviews, answerOf, draft, isBusy, onAnswer }: Props) {
  const collectors = useRef<Collect[]>([]);
  const [refused, setRefused] = useDraft<Record<number, string>>(`${draft} refused`, () => ({}));
  const refusals = Object.keys(refused).length;
  const send = () => {
    const decisions = reviews.map((_, index): Decision | undefined => {
      const reason = refused[index];
      return reason === undefined ? collectors.current[index]?.() : { type: "reject", reason: reason.trim() };
    });
    if (decisions.every((decision) => decision !== undefined)) onAnswer(answerOf(decisions));
  };
  const rejectAll = (reason: string) => onAnswer(answerOf(reviews.map(() => ({ type: "reject", reason }))));
  const isOne = reviews.length === 1;
  const refuse = (index: number, reason: string | undefined) =>
    setRefused(({ [index]: _, ...others }) => (reason === undefined ? others : { ...others, [index]: reason }));
  return (
    <div className="space-y-3">
      {reviews.map((review, index) => (
        <Call
          // biome-ignore lint/suspicious/noArrayIndexKey: the calls of a question do not move
          key={index}
          review={review}
          draft={`${draft} ${index}`}
          collect={(collector) => {
            collectors.current[index] = collector;
          }}
          {...(!isOne && { refusal: { reason: refused[index], set: (reason: string | undefined) => refuse(index, reason) } })}
        />
      ))}
      <Verdict
        rejectLabel={isOne ? "Reject" : "Reject all"}
        draft={draft}
        isBusy={isBusy}
        mayReject={reviews.every(({ mayReject }) => mayReject)}
        onReject={rejectAll}
      >
        {reviews.some(({ mayApprove, mayEdit }) => mayApprove || mayEdit) && (
          <Button kind="primary" icon="check" data-shortcut="a" disabled={isBusy} onClick={send}>
            {isOne
              ? "Approve"
              : refusals === 0
                ? `Approve all ${reviews.length}`
                : `Approve ${reviews.length - refusals}, reject ${refusals}`}
          </Button>
        )}
      </Verdict>
    </div>
  );
}

interface CallProps {
  review: CallReview;
  draft: string;
  collect: (collector: Collect) => void;
  /**
   * The person's rejection of this call, if a question has several calls. `reason` is undefined as long as the call is not rejected, and
   * `set` changes it. A question with only one call has no `refusal`, because the button "Reject" below the call rejects the call.
   */
  refusal?: { reason: string | undefined; set: (reason: string | undefined) => void };
}

function Call({ review, draft, collect, refusal }: CallProps) {
  const { name, args, argsSchema, description, mayEdit } = review;
  const [isEdited, setEdited] = useDraft<boolean>(`${draft} edited`, () => false);
  const form = useSchemaForm({ schema: argsSchema ?? { type: "object" }, initial: args, draft });
  collect(() => {
    if (!isEdited) return { type: "approve" };
    const valid = form.submit();
    return valid && { type: "edit", args: valid.value as Record<string, unknown> };
  });
  const isRefused = refusal?.reason !== undefined;
  return (
    <section aria-label={`Call of ${name}`} className="rounded-lg border border-line bg-surface">
      <header className="flex min-h-10 flex-wrap items-center gap-2 border-b border-line px-3 py-1">
        <Icon name="tool" className="text-muted" />
        <code className="min-w-0 font-mono text-sm font-medium break-all">{name}</code>
        <div className="ml-auto flex gap-1">
          {mayEdit && !isRefused && (
            <Button kind="quiet" icon={isEdited ? "cross" : "pencil"} onClick={() => setEdited(!isEdited)}>
              {isEdited ? "Discard changes" : "Edit arguments"}
            </Button>
          )}
          {refusal && (
            <Button kind="quiet" icon={isRefused ? "check" : "cross"} onClick={() => refusal.set(isRefused ? undefined : "")}>
              {isRefused ? "Approve this" : "Reject this"}
            </Button>
          )}
        </div>
      </header>
      <div className="space-y-3 p-3">
        {description && <p className="break-words whitespace-pre-wrap text-muted">{description}</p>}
        {isRefused ? (
          <Input
            label={`Reason to reject ${name}`}
            autoFocus
            value={refusal?.reason ?? ""}
            onChange={({ target }) => refusal?.set(target.value)}
          />
        ) : isEdited ? (
          <SchemaForm form={form} label="Arguments" />
        ) : (
          <JsonView value={args} label="Arguments" />
        )}
      </div>
    </section>
  );
}
