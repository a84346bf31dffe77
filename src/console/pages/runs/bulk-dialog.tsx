import { useState } from "react";
import { queries } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { number, plural, shortId } from "../../parts/format.ts";
import { tell } from "../../parts/toast.tsx";
import { cancelRun, deleteRun, isOpen, type Outcome, retryRun, withEach } from "./bulk.ts";
import type { ChosenRun } from "./selection.ts";

export type Action = "cancel" | "retry" | "delete";

interface Words {
  verb: string;
  past: string;
  title: (amount: string) => string;
  text: string;
}

const words: Record<Action, Words> = {
  cancel: {
    verb: "Cancel runs",
    past: "cancelled",
    title: (amount) => `Cancel ${amount}?`,
    text: "A run ends as interrupted and keeps what it has done so far. It cannot continue.",
  },
  retry: {
    verb: "Retry",
    past: "retried",
    title: (amount) => `Retry ${amount}?`,
    text: "Each gets a new run with the same assistant, input and settings. The old run stays.",
  },
  delete: {
    verb: "Delete",
    past: "deleted",
    title: (amount) => `Delete ${amount}?`,
    text: "The runs and the checkpoints that they wrote are removed. An open run is stopped first. This cannot be undone.",
  },
};

interface Props {
  action: Action;
  runs: ChosenRun[];
  onDone: (succeeded: string[]) => void;
  onClose: () => void;
}

/** Asks for confirmation, performs the action on every run, and reports the failures. */
export function BulkDialog({ action, runs, onDone, onClose }: Props) {
  const { title, text, verb, past } = words[action];
  const [fits] = useState(() => (action === "cancel" ? runs.filter(isOpen) : runs));
  const [onNewThread, setOnNewThread] = useState(false);
  const [progress, setProgress] = useState<Outcome>();
  const [isOver, setOver] = useState(false);
  const start = async () => {
    setProgress({ done: 0, failed: [] });
    const work = { cancel: cancelRun, delete: deleteRun, retry: (run: ChosenRun) => retryRun(run, onNewThread) }[action];
    const outcome = await withEach(fits, work, setProgress);
    await queries.invalidateQueries({ queryKey: ["runs"] });
    const failed = new Set(outcome.failed.map(({ run }) => run.run_id));
    onDone(fits.map(({ run_id }) => run_id).filter((id) => !failed.has(id)));
    if (outcome.failed.length > 0) return setOver(true);
    tell(`${plural(outcome.done, "run was", "runs were")} ${past}.`);
    onClose();
  };
  if (fits.length === 0) return <NothingToCancel onClose={onClose} />;
  const footer = isOver ? (
    <Button onClick={onClose}>Close</Button>
  ) : (
    <>
      <Button disabled={progress !== undefined} onClick={onClose}>
        Back
      </Button>
      <Button kind={action === "retry" ? "primary" : "danger"} disabled={progress !== undefined} onClick={() => void start()}>
        {verb}
      </Button>
    </>
  );
  return (
    <Dialog
      title={isOver ? report(progress, past) : title(plural(fits.length, "run"))}
      onClose={progress && !isOver ? () => {} : onClose}
      footer={footer}
    >
      {!progress && <p>{text}</p>}
      {!progress && fits.length < runs.length && (
        <p className="mt-2 text-muted">{plural(runs.length - fits.length, "other run is", "other runs are")} over already.</p>
      )}
      {!progress && action === "retry" && <Places onNewThread={onNewThread} onChange={setOnNewThread} />}
      {progress && !isOver && <Progress outcome={progress} total={fits.length} />}
      {isOver && progress && <Problems {...progress} />}
    </Dialog>
  );
}

const report = (outcome: Outcome | undefined, past: string) =>
  `${plural(outcome?.failed.length ?? 0, "run was", "runs were")} not ${past}, ${number(outcome?.done ?? 0)} ${outcome?.done === 1 ? "was" : "were"}`;

function NothingToCancel({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Nothing to cancel" onClose={onClose} footer={<Button onClick={onClose}>Close</Button>}>
      <p>The selected runs are over already.</p>
    </Dialog>
  );
}

function Progress({ outcome, total }: { outcome: Outcome; total: number }) {
  const past = outcome.done + outcome.failed.length;
  return (
    <div role="status">
      <progress className="h-1.5 w-full accent-accent" value={past} max={total} aria-label="Progress" />
      <p className="numbers mt-1 text-muted">
        {number(past)} of {number(total)}
      </p>
    </div>
  );
}

function Problems({ failed }: Outcome) {
  return (
    <ul className="max-h-60 space-y-2 overflow-y-auto">
      {failed.map(({ run, sentence }) => (
        <li key={run.run_id}>
          <code className="font-mono text-xs" title={run.run_id}>
            {shortId(run.run_id)}
          </code>{" "}
          <span className="text-bad">{sentence}</span>
        </li>
      ))}
    </ul>
  );
}

function Places({ onNewThread, onChange }: { onNewThread: boolean; onChange: (onNewThread: boolean) => void }) {
  const choices = [
    { isNew: false, label: "On the same thread", hint: "It begins with the thread's present state." },
    { isNew: true, label: "On a new thread", hint: "It begins with an empty state. Each run gets a thread of its own." },
  ];
  return (
    <fieldset className="mt-4 space-y-2">
      <legend className="sr-only">Where</legend>
      {choices.map(({ isNew, label, hint }) => (
        <label key={label} className="flex gap-2">
          <input
            type="radio"
            name="place"
            className="mt-1 accent-accent"
            checked={onNewThread === isNew}
            onChange={() => onChange(isNew)}
          />
          <span>
            {label}
            <span className="block text-sm text-muted">{hint}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
