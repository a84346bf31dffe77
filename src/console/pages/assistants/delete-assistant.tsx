import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { answerOf, api } from "../../api.ts";
import { queries, useLive } from "../../live.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { Checkbox } from "../../parts/field.tsx";
import { plural } from "../../parts/format.ts";
import { Refusal } from "../../parts/refusal.tsx";
import { tell } from "../../parts/toast.tsx";
import { type Assistant, type Belongings, readBelongings } from "./reads.ts";

/** Asks before an assistant is deleted, and says how many runs and crons are deleted with it. */
export function DeleteAssistant({ assistant, onClose }: { assistant: Assistant; onClose: () => void }) {
  const { assistant_id: id, name } = assistant;
  const [withThreads, setWithThreads] = useState(false);
  const [, go] = useLocation();
  const belongings = useLive(["assistants", id, "belongings"], (signal) => readBelongings(id, signal));
  const remove = useMutation({
    mutationFn: () => {
      const query = withThreads ? { delete_threads: "true" as const } : {};
      return answerOf(api.DELETE("/assistants/{assistantId}", { params: { path: { assistantId: id }, query } }));
    },
    onSuccess: () => {
      tell(`${name} was deleted.`);
      go("/assistants");
      queries.removeQueries({ queryKey: ["assistants", id] });
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      action="Delete"
      isDangerous
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p className="break-words">Its versions are deleted. {belongings.data && concerned(belongings.data)} This cannot be undone.</p>
        <Checkbox label="Delete the threads of this assistant as well" checked={withThreads} onChange={setWithThreads} />
        <p className="text-sm text-muted">Without this, the threads stay and keep their state.</p>
        <Refusal error={remove.error} />
      </div>
    </ConfirmDialog>
  );
}

function concerned({ runs, crons }: Belongings): string {
  const things = [runs > 0 && plural(runs, "run"), crons > 0 && plural(crons, "cron")].filter(Boolean);
  if (things.length === 0) return "It has no runs and no crons.";
  return `${things.join(" and ")} of this assistant ${runs + crons === 1 ? "is" : "are"} deleted too.${runs > 0 ? " An open run is stopped first." : ""}`;
}
