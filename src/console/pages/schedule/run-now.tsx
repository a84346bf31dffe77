import { useMutation } from "@tanstack/react-query";
import { Link } from "wouter";
import { answerOf, api, type PostBody, type Schemas } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button, buttonLook } from "../../parts/button.tsx";
import { ConfirmDialog, Dialog } from "../../parts/dialog.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import type { Cron } from "./reads.ts";

interface Props {
  cron: Cron;
  name: string;
  onClose: () => void;
}

/** Creates a run like those of the cron, and links to the run. */
export function RunNow({ cron, name, onClose }: Props) {
  const run = useMutation({
    mutationFn: () => createRun(cron),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["cron runs", cron.cron_id] }),
  });
  if (run.data) return <Created run={run.data} onClose={onClose} />;
  return (
    <ConfirmDialog title={`Run ${name} now?`} action="Run now" isBusy={run.isPending} onConfirm={() => run.mutate()} onClose={onClose}>
      <div className="space-y-3">
        <p>
          This creates a run with the assistant and the payload of the cron, under your own credential. It is not a tick of the cron: the
          next one stays as it is.
        </p>
        <Refusal error={run.error} />
      </div>
    </ConfirmDialog>
  );
}

function Created({ run, onClose }: { run: Schemas["Run"]; onClose: () => void }) {
  const footer = (
    <>
      <Button onClick={onClose}>Close</Button>
      <Link href={`/threads/${run.thread_id}/runs/${run.run_id}`} className={buttonLook("primary")}>
        Show the run
      </Link>
    </>
  );
  return (
    <Dialog title="The run was created" onClose={onClose} footer={footer}>
      <p>A worker executes it as soon as one has a free slot.</p>
    </Dialog>
  );
}

/**
 * Creates a run with the settings of a cron, and stores the cron's id in the run's metadata, as the service does at each tick. The API has
 * no request of its own for this purpose.
 */
function createRun({ cron_id, assistant_id, thread_id, on_run_completed, payload, metadata }: Cron): Promise<Schemas["Run"]> {
  const body = { ...payload, assistant_id, metadata: { ...metadata, cron_id } } as PostBody<"/runs">;
  if (thread_id !== null) return answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId: thread_id } }, body }));
  return answerOf(api.POST("/runs", { body: { ...body, on_completion: on_run_completed } }));
}
