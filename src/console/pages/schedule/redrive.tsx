import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { ConfirmDialog, Dialog } from "../../parts/dialog.tsx";
import { plural, shortId } from "../../parts/format.ts";
import { Refusal } from "../../parts/refusal.tsx";
import { tell } from "../../parts/toast.tsx";
import type { DeadWebhook } from "./reads.ts";

interface Props {
  webhooks: DeadWebhook[];
  onDone: () => void;
  onClose: () => void;
}

/** The maximum number of ids in one request. */
const perRequest = 1_000;

/** Asks for confirmation, sends failed webhooks again, and reports the webhooks that the service did not accept. */
export function Redrive({ webhooks, onDone, onClose }: Props) {
  const redrive = useMutation({
    mutationFn: async () => {
      const taken = await redriveAll(webhooks.map(({ run_id }) => run_id));
      return { taken: taken.size, left: webhooks.filter(({ run_id }) => !taken.has(run_id)) };
    },
    onSuccess: async ({ taken, left }) => {
      await queries.invalidateQueries({ queryKey: ["dead webhooks"] });
      onDone();
      if (left.length > 0) return;
      tell(`${plural(taken, "webhook is", "webhooks are")} sent again.`);
      onClose();
    },
  });
  if (redrive.data) return <Report {...redrive.data} onClose={onClose} />;
  return (
    <ConfirmDialog
      title={`Send ${plural(webhooks.length, "webhook")} again?`}
      action="Redrive"
      isBusy={redrive.isPending}
      onConfirm={() => redrive.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p>
          The receiver gets the run as it was when it ended, with the same webhook-id. If it still fails, the service tries again for a day.
        </p>
        <Refusal error={redrive.error} />
      </div>
    </ConfirmDialog>
  );
}

async function redriveAll(runIds: string[]): Promise<Set<string>> {
  const taken = new Set<string>();
  for (let start = 0; start < runIds.length; start += perRequest) {
    const body = { run_ids: runIds.slice(start, start + perRequest) };
    for (const id of (await answerOf(api.POST("/webhooks/redrive", { body }))).run_ids) taken.add(id);
  }
  return taken;
}

function Report({ taken, left, onClose }: { taken: number; left: DeadWebhook[]; onClose: () => void }) {
  return (
    <Dialog
      title={`${plural(taken, "webhook is", "webhooks are")} sent again, ${left.length} not`}
      onClose={onClose}
      footer={<Button onClick={onClose}>Close</Button>}
    >
      <p>These are not dead any more, or your credential may not change them:</p>
      <ul className="mt-2 max-h-60 space-y-1 overflow-y-auto">
        {left.map(({ run_id, url }) => (
          <li key={run_id} className="break-all">
            <code className="font-mono text-xs" title={run_id}>
              {shortId(run_id)}
            </code>{" "}
            {url}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
