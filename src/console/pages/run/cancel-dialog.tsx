import { useState } from "react";
import { useLocation } from "wouter";
import { sentenceOf } from "../../api.ts";
import { queries } from "../../live.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { tell } from "../../parts/toast.tsx";
import { Choice } from "./choice.tsx";
import type { Run } from "./data.ts";
import { cancelRun } from "./request.ts";

const options = [
  {
    value: "interrupt" as const,
    label: "Interrupt",
    text: "The run ends as interrupted. It and the steps that it has stored are kept, so you can fork from them.",
  },
  {
    value: "rollback" as const,
    label: "Roll back",
    text: "The run is stopped and deleted with all of its checkpoints. The thread is as it was before. This cannot be undone.",
  },
];

/** Asks whether to stop a run and keep it, or to stop it and delete it. */
export function CancelDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [action, setAction] = useState<"interrupt" | "rollback">("interrupt");
  const [isBusy, setBusy] = useState(false);
  const [, goTo] = useLocation();
  const confirm = async () => {
    setBusy(true);
    try {
      await cancelRun({ threadId: run.thread_id, runId: run.run_id }, action);
      tell(action === "interrupt" ? "The run was interrupted." : "The run was rolled back.");
      if (action === "rollback") return goTo("/runs");
      await queries.invalidateQueries();
    } catch (error) {
      tell(`The run could not be cancelled. ${sentenceOf(error)}`, true);
    }
    onClose();
  };
  const verb = action === "interrupt" ? "Interrupt the run" : "Roll back the run";
  return (
    <ConfirmDialog title="Stop the run?" action={verb} isDangerous isBusy={isBusy} onConfirm={() => void confirm()} onClose={onClose}>
      <Choice legend="How to stop the run" options={options} value={action} onChange={setAction} />
    </ConfirmDialog>
  );
}
