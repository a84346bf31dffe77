import { useState } from "react";
import { answerOf, api, type Schemas, sentenceOf } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { JsonView } from "../../parts/json-view.tsx";
import { Section } from "../../parts/page.tsx";
import { Empty } from "../../parts/states.tsx";
import { tell } from "../../parts/toast.tsx";
import { settingsOf } from "../../run-settings.ts";
import { useMayAct } from "../../settings.ts";
import { refreshThread, type State, type ThreadFacts } from "./data.ts";
import { ThreadQuestions } from "./thread-questions.tsx";

interface Props {
  thread: ThreadFacts;
  state: State | undefined;
  newestRun: Schemas["Run"] | null;
}

/** The state of a thread that has no messages. A button starts the last run again with the same input. */
export function StateView({ thread, state, newestRun }: Props) {
  const mayAct = useMayAct();
  if (!state && !newestRun)
    return (
      <Empty title="Nothing has happened on this thread" command={`ensemble run <graph> --thread ${thread.thread_id}`}>
        Its state appears here when a run has stored one.
      </Empty>
    );
  return (
    <div className="space-y-5 overflow-auto p-4 lg:p-6">
      <ThreadQuestions thread={thread} isBusy={thread.status === "busy"} />
      <Section title="State" actions={mayAct && newestRun && <RunAgain run={newestRun} isBusy={thread.status === "busy"} />}>
        {state ? <JsonView value={state.values} label="State" /> : <p className="text-muted">No state is stored yet.</p>}
      </Section>
    </div>
  );
}

function RunAgain({ run, isBusy: isAtWork }: { run: Schemas["Run"]; isBusy: boolean }) {
  const [isBusy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    try {
      const body = { ...settingsOf(run), input: (run.kwargs.input ?? null) as never };
      await answerOf(api.POST("/threads/{threadId}/runs", { params: { path: { threadId: run.thread_id } }, body }));
      tell("The run has started.");
      refreshThread(run.thread_id);
    } catch (error) {
      tell(`The run could not be started. ${sentenceOf(error)}`, true);
    }
    setBusy(false);
  };
  return (
    <Button icon="retry" disabled={isBusy || isAtWork} onClick={() => void start()}>
      Run again
    </Button>
  );
}
