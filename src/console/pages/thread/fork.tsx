import { useState } from "react";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { tell } from "../../parts/toast.tsx";
import { useSchemaForm } from "../../parts/use-schema-form.ts";
import { settingsOf } from "../../run-settings.ts";
import { idOf, readNewestRun, refreshThread, type State, type ThreadFacts } from "./data.ts";

/** Starts a run at a checkpoint. The run makes a new branch, and the later checkpoints stay. */
export function ForkDialog({ thread, state, onClose }: { thread: ThreadFacts; state: State; onClose: () => void }) {
  const { thread_id: threadId, metadata } = thread;
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const form = useSchemaForm({ schema: {} });
  const start = async () => {
    const input = form.value === undefined ? { value: null } : form.submit();
    if (!input) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const run = await readNewestRun(threadId);
      const settings = run ? settingsOf(run) : { assistant_id: String(metadata.assistant_id ?? metadata.graph_id ?? "") };
      const body = { ...settings, input: input.value as never, checkpoint_id: idOf(state), ...streamed };
      await answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId } }, body }));
      tell("The run has started from this checkpoint.");
      refreshThread(threadId);
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      title="Fork from this checkpoint"
      action="Start the run"
      isBusy={isBusy}
      onConfirm={() => void start()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p className="text-sm text-muted">
          A new run starts from here
          {state.next.length > 0 ? ` with ${state.next.join(", ")}` : ""}. It makes a new branch, with the settings of the thread's last
          run. The other checkpoints stay.
        </p>
        <SchemaForm form={form} label="Input (optional)" />
        {problem && (
          <p role="alert" className="text-sm break-words text-bad">
            {problem}
          </p>
        )}
      </div>
    </ConfirmDialog>
  );
}

/** The stream options of the run. The conversation shows tokens, so the run must stream its messages. */
const streamed = {
  stream_mode: ["values", "updates", "messages-tuple", "custom", "tasks", "tools", "checkpoints"] as (
    | "values"
    | "updates"
    | "messages-tuple"
    | "custom"
    | "tasks"
    | "tools"
    | "checkpoints"
  )[],
  stream_subgraphs: true,
  stream_resumable: true,
};
