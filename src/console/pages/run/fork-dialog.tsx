import { useState } from "react";
import { useLocation } from "wouter";
import { sentenceOf } from "../../api.ts";
import { useLive } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { CodeEditor } from "../../parts/code-editor.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Select } from "../../parts/field.tsx";
import { Skeleton } from "../../parts/states.tsx";
import { exactTime } from "../../parts/time.tsx";
import { tell } from "../../parts/toast.tsx";
import { Choice } from "./choice.tsx";
import { type Run, readCheckpoints, type State } from "./data.ts";
import { changedKeys, objectIn } from "./edits.ts";
import { fork } from "./request.ts";

type Way = "same" | "state" | "input";

const options = [
  { value: "same" as const, label: "As it was", text: "The graph does the steps after the checkpoint again." },
  { value: "state" as const, label: "With a changed state", text: "You change values first. The graph then goes on from there." },
  { value: "input" as const, label: "With a new input", text: "The graph starts from its beginning, with the state of the checkpoint." },
];

/** The maximum number of checkpoints in the list from which a person can choose. */
const mostCheckpoints = 100;

/** Asks for a checkpoint and for the input or state of a new run. Creates the run at the checkpoint and opens it. */
export function ForkDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const path = { threadId: run.thread_id, runId: run.run_id };
  const { data: states, error } = useLive(["checkpoints", path], (signal) => readCheckpoints(path, mostCheckpoints, signal), {
    every: 600_000,
  });
  if (states && states.length > 0) return <Form {...{ run, states, onClose }} />;
  return (
    <Dialog title="Fork the run" onClose={onClose} footer={<Button onClick={onClose}>Close</Button>}>
      {error ? (
        <p>{sentenceOf(error)}</p>
      ) : states ? (
        <p>The thread keeps no checkpoint of this run, so there is nothing to fork from.</p>
      ) : (
        <Skeleton lines={4} />
      )}
    </Dialog>
  );
}

const idOf = ({ checkpoint }: State) => String(checkpoint?.checkpoint_id ?? "");

/** Returns the checkpoint from which a person probably wants to continue: the newest one that has a next step. */
const likely = (states: State[]) => states.find(({ next }) => next.length > 0) ?? states[0];

function Form({ run, states, onClose }: { run: Run; states: State[]; onClose: () => void }) {
  const [checkpointId, setCheckpointId] = useState(() => idOf(likely(states) as State));
  const [way, setWay] = useState<Way>("same");
  const [asNode, setAsNode] = useState("");
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [, goTo] = useLocation();
  const state = states.find((one) => idOf(one) === checkpointId);
  const given = JSON.stringify((way === "state" ? state?.values : run.kwargs.input) ?? {}, null, 2);
  const confirm = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const edited = way === "same" ? {} : objectIn(text ?? given);
      const update = way === "state" && { update: changedKeys(state?.values, edited), ...(asNode && { asNode }) };
      const { thread_id, run_id } = await fork(run, { checkpointId, ...update, ...(way === "input" && { input: edited }) });
      tell("The run was forked. This is the new run.");
      goTo(`/threads/${thread_id}/runs/${run_id}`);
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  };
  const choose = (change: () => void) => {
    change();
    setText(undefined);
    setProblem(undefined);
  };
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="primary" icon="fork" disabled={isBusy} onClick={() => void confirm()}>
        Fork
      </Button>
    </>
  );
  return (
    <Dialog title="Fork the run" onClose={onClose} footer={footer}>
      <div className="max-h-[calc(100dvh-14rem)] space-y-3 overflow-y-auto p-0.5">
        <p className="text-muted">A new run begins at a checkpoint of this run. The thread gets another branch; nothing is lost.</p>
        <Select
          label="Checkpoint"
          value={checkpointId}
          onChange={(id) => choose(() => setCheckpointId(id))}
          options={states.map((one) => ({ value: idOf(one), label: labelOf(one) }))}
        />
        <Choice legend="What changes" options={options} value={way} onChange={(next) => choose(() => setWay(next))} />
        {way !== "same" && (
          <div className="max-h-72 overflow-auto rounded-md border border-line">
            <CodeEditor key={`${way} ${checkpointId}`} label={way === "state" ? "State" : "Input"} value={given} onChange={setText} />
          </div>
        )}
        {way === "state" && <StateHints {...{ states, asNode, setAsNode }} />}
        {problem !== undefined && (
          <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm break-words text-bad">
            {problem}
          </p>
        )}
      </div>
    </Dialog>
  );
}

function labelOf(state: State): string {
  const { step } = (state.metadata ?? {}) as { step?: number };
  const next = state.next.length > 0 ? `next: ${[...new Set(state.next)].join(", ")}` : "the end";
  return `Step ${step ?? "?"}, ${next}${state.created_at === null ? "" : ` (${exactTime(state.created_at)})`}`;
}

function StateHints({ states, asNode, setAsNode }: { states: State[]; asNode: string; setAsNode: (node: string) => void }) {
  const nodes = [...new Set(states.flatMap(({ next }) => next))].sort();
  return (
    <>
      <Select
        label="Written by"
        value={asNode}
        onChange={setAsNode}
        options={[{ value: "", label: "the node before the checkpoint" }, ...nodes.map((name) => ({ value: name, label: name }))]}
      />
      <p className="text-xs text-muted">
        Only the keys that you change are written. They pass the graph's reducers: a list that collects values appends what you write. To
        replace it, write <code className="font-mono">{'{"__overwrite__": […]}'}</code>.
      </p>
    </>
  );
}
