import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { plural } from "../../parts/format.ts";
import { Refusal } from "../../parts/refusal.tsx";
import { tell } from "../../parts/toast.tsx";
import type { DeadLetter } from "./reads.ts";

/** A change that a person wants to make to some letters. */
export interface Change {
  action: "redrive" | "discard";
  letters: DeadLetter[];
  /** The input for the redrive, in place of the input that is stored in the letter. */
  edit?: unknown;
}

/** The maximum number of ids in one request. */
const perRequest = 1_000;

interface Props {
  change: Change;
  onDone: () => void;
  onClose: () => void;
}

/** Asks for confirmation, and redrives or discards dead letters. */
export function LettersChange({ change, onDone, onClose }: Props) {
  const { action, letters } = change;
  const isRedrive = action === "redrive";
  const send = useMutation({
    mutationFn: () => sendAll(change),
    onSuccess: async (changed) => {
      await queries.invalidateQueries({ queryKey: ["dead letters"] });
      onDone();
      onClose();
      const left = letters.length - changed;
      const what = `${plural(changed, "letter is", "letters are")} ${isRedrive ? "being redriven" : "discarded"}.`;
      tell(
        left > 0 ? `${what} ${plural(left, "other was", "others were")} not dead any more, or may not be changed by you.` : what,
        left > 0,
      );
    },
  });
  return (
    <ConfirmDialog
      title={`${isRedrive ? "Redrive" : "Discard"} ${plural(letters.length, "letter")}?`}
      action={isRedrive ? "Redrive" : "Discard"}
      isDangerous={!isRedrive}
      isBusy={send.isPending}
      onConfirm={() => send.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p>
          {isRedrive
            ? "The failed work starts again as new runs, ten at a time. A letter whose run fails is dead again."
            : "A discarded letter cannot be redriven. It is deleted with the retention of dead letters."}
        </p>
        <Refusal error={send.error} />
      </div>
    </ConfirmDialog>
  );
}

/**
 * Sends the change to the service. Returns the number of changed letters. Some letters may not change, because they are not dead any more.
 */
async function sendAll({ action, letters, edit }: Change): Promise<number> {
  let changed = 0;
  for (let start = 0; start < letters.length; start += perRequest) {
    const ids = letters.slice(start, start + perRequest).map(({ id }) => id);
    const { ids: done } =
      action === "redrive"
        ? await answerOf(api.POST("/dead-letters/redrive", { body: { ids, parallel: 10, ...(edit !== undefined && { edit }) } }))
        : await answerOf(api.POST("/dead-letters/discard", { body: { ids } }));
    changed += done.length;
  }
  return changed;
}
