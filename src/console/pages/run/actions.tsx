import { useState } from "react";
import { useLocation } from "wouter";
import { sentenceOf } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button, IconButton } from "../../parts/button.tsx";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import { CancelDialog } from "./cancel-dialog.tsx";
import { isOpen, type Run } from "./data.ts";
import { ForkDialog } from "./fork-dialog.tsx";
import { deleteRun } from "./request.ts";
import { RerunDialog } from "./rerun-dialog.tsx";

export type Action = "cancel" | "rerun" | "fork" | "delete";

interface Props {
  run: Run;
  asked: Action | undefined;
  ask: (action: Action | undefined) => void;
}

/** The buttons of a run, and the dialogs that they open. In read-only mode there are no buttons. */
export function Actions({ run, asked, ask }: Props) {
  if (!useMayAct()) return null;
  const close = () => ask(undefined);
  return (
    <>
      {isOpen(run.status) && (
        <Button kind="danger" icon="cross" onClick={() => ask("cancel")}>
          Cancel
        </Button>
      )}
      <Button icon="retry" onClick={() => ask("rerun")}>
        Rerun
      </Button>
      <Button icon="fork" onClick={() => ask("fork")}>
        Fork
      </Button>
      <IconButton icon="trash" label="Delete the run" className="size-8 border border-line bg-surface" onClick={() => ask("delete")} />
      {asked === "cancel" && <CancelDialog run={run} onClose={close} />}
      {asked === "rerun" && <RerunDialog run={run} onClose={close} />}
      {asked === "fork" && <ForkDialog run={run} onClose={close} />}
      {asked === "delete" && <DeleteDialog run={run} onClose={close} />}
    </>
  );
}

function DeleteDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const [, goTo] = useLocation();
  const confirm = async () => {
    setBusy(true);
    try {
      await deleteRun({ threadId: run.thread_id, runId: run.run_id });
      void queries.invalidateQueries({ queryKey: ["runs"] });
      tell("The run was deleted.");
      goTo("/runs");
    } catch (error) {
      tell(`The run could not be deleted. ${sentenceOf(error)}`, true);
      onClose();
    }
  };
  return (
    <ConfirmDialog title="Delete the run?" action="Delete" isDangerous isBusy={isBusy} onConfirm={() => void confirm()} onClose={onClose}>
      <p>
        The run, its events and the checkpoints that it wrote are removed.{isOpen(run.status) && " It is stopped first."} The thread stays.
        This cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
