import { useState } from "react";
import { useLocation } from "wouter";
import { sentenceOf } from "../../api.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { tell } from "../../parts/toast.tsx";
import { Choice } from "./choice.tsx";
import type { Run } from "./data.ts";
import { rerun } from "./request.ts";

const options = [
  { value: "new" as const, label: "On a new thread", text: "It begins with an empty state, as the first run of its thread." },
  {
    value: "same" as const,
    label: "On the same thread",
    text: "It begins with the state that the thread has now. If another run is open on the thread, it waits for that run.",
  },
];

/** Asks whether to use the same thread or a new one, repeats the run, and opens the new run. */
export function RerunDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const [place, setPlace] = useState<"new" | "same">("new");
  const [isBusy, setBusy] = useState(false);
  const [, goTo] = useLocation();
  const confirm = async () => {
    setBusy(true);
    try {
      const { thread_id, run_id } = await rerun(run, place === "new");
      tell("A new run was created. This is its page.");
      goTo(`/threads/${thread_id}/runs/${run_id}`);
    } catch (error) {
      tell(`The run could not be created. ${sentenceOf(error)}`, true);
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog title="Run again?" action="Rerun" isBusy={isBusy} onConfirm={() => void confirm()} onClose={onClose}>
      <p className="mb-3 text-muted">A new run gets the same assistant, input, config and context. This run stays as it is.</p>
      <Choice legend="Where to run" options={options} value={place} onChange={setPlace} />
    </ConfirmDialog>
  );
}
