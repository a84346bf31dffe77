import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button, IconButton } from "../../parts/button.tsx";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";
import type { Cron } from "./reads.ts";
import { RunNow } from "./run-now.tsx";

interface Props {
  cron: Cron;
  name: string;
}

/** The buttons for the actions on a cron. */
export function CronActions({ cron, name }: Props) {
  const [asked, setAsked] = useState<"run" | "delete">();
  if (!useMayAct()) return null;
  const close = () => setAsked(undefined);
  return (
    <div className="flex items-center gap-1">
      <Button icon="play" onClick={() => setAsked("run")}>
        Run now
      </Button>
      <PauseButton cron={cron} name={name} />
      <Link
        href={`/schedule/${cron.cron_id}/edit`}
        aria-label={`Edit ${name}`}
        title="Edit"
        className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-text"
      >
        <Icon name="pencil" className="size-3.5" />
      </Link>
      <IconButton icon="trash" label={`Delete ${name}`} onClick={() => setAsked("delete")} />
      {asked === "run" && <RunNow cron={cron} name={name} onClose={close} />}
      {asked === "delete" && <DeleteCron cron={cron} name={name} onClose={close} />}
    </div>
  );
}

const pathOf = ({ cron_id }: Cron) => ({ path: { cronId: cron_id } });
const readAgain = () => queries.invalidateQueries({ queryKey: ["crons"] });

function PauseButton({ cron, name }: Props) {
  const { enabled } = cron;
  const change = useMutation({
    mutationFn: () => answerOf(api.PATCH("/runs/crons/{cronId}", { params: pathOf(cron), body: { enabled: !enabled } })),
    onSuccess: async () => {
      await readAgain();
      tell(enabled ? `${name} is paused.` : `${name} is active again.`);
    },
    onError: (error) => tell(`The cron could not be changed. ${sentenceOf(error)}`, true),
  });
  return (
    <IconButton
      icon={enabled ? "pause" : "retry"}
      label={`${enabled ? "Pause" : "Resume"} ${name}`}
      disabled={change.isPending}
      onClick={() => change.mutate()}
    />
  );
}

function DeleteCron({ cron, name, onClose }: Props & { onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => answerOf(api.DELETE("/runs/crons/{cronId}", { params: pathOf(cron) })),
    onSuccess: async () => {
      await readAgain();
      tell("The cron was deleted.");
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Delete the cron of ${name}?`}
      action="Delete"
      isDangerous
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p>
          It creates no more runs. Runs that it has created do not change. To stop it for a while, pause it instead. This cannot be undone.
        </p>
        <Refusal error={remove.error} />
      </div>
    </ConfirmDialog>
  );
}
