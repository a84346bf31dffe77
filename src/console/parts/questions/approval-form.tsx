import type { ReactNode } from "react";
import { Button } from "../button.tsx";
import { useDraft } from "../draft.ts";
import { TextArea } from "../field.tsx";
import type { AnswerProps } from "./answer-props.ts";

/**
 * The form that answers a question with an approval or a rejection. A person can give a reason for a rejection, if the question allows a
 * reason.
 */
export function ApprovalForm({ mayGiveReason, draft, isBusy, onAnswer }: AnswerProps & { mayGiveReason: boolean }) {
  const reject = (reason: string) => onAnswer({ approved: false, ...(reason && mayGiveReason && { reason }) });
  return (
    <Verdict draft={draft} isBusy={isBusy} mayGiveReason={mayGiveReason} onReject={reject}>
      <Button kind="primary" icon="check" data-shortcut="a" disabled={isBusy} onClick={() => onAnswer({ approved: true })}>
        Approve
      </Button>
    </Verdict>
  );
}

interface VerdictProps {
  draft: string;
  isBusy: boolean;
  mayReject?: boolean;
  mayGiveReason?: boolean;
  rejectLabel?: string;
  onReject: (reason: string) => void;
  /** The buttons before "Reject". */
  children: ReactNode;
  /** The buttons after "Reject". */
  beside?: ReactNode;
}

/**
 * A row of buttons with the button "Reject" between `children` and `beside`. If a reason is allowed, "Reject" first opens a field for the
 * reason.
 */
export function Verdict({
  draft,
  isBusy,
  mayReject = true,
  mayGiveReason = true,
  rejectLabel = "Reject",
  onReject,
  children,
  beside,
}: VerdictProps) {
  const [reason, setReason] = useDraft<string | undefined>(`${draft} reason`, () => undefined);
  if (reason !== undefined)
    return (
      <div className="space-y-3 rounded-md border border-line bg-surface p-3">
        <TextArea
          label="Reason"
          hint="The graph receives it. You may leave it empty."
          autoFocus
          value={reason}
          onChange={({ target }) => setReason(target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isBusy) onReject(reason.trim());
            if (event.key === "Escape") setReason(undefined);
          }}
        />
        <div className="flex flex-wrap gap-2">
          <Button kind="danger" icon="cross" disabled={isBusy} onClick={() => onReject(reason.trim())}>
            {rejectLabel}
          </Button>
          <Button kind="quiet" onClick={() => setReason(undefined)}>
            Back
          </Button>
        </div>
      </div>
    );
  return (
    <div className="flex flex-wrap items-center gap-2">
      {children}
      {mayReject && (
        <Button icon="cross" data-shortcut="r" disabled={isBusy} onClick={() => (mayGiveReason ? setReason("") : onReject(""))}>
          {rejectLabel}
          {mayGiveReason && " …"}
        </Button>
      )}
      {beside}
    </div>
  );
}
