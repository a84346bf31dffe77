import { useState } from "react";
import { Link } from "wouter";
import { Button } from "../../parts/button.tsx";
import { Id } from "../../parts/copy.tsx";
import { DiffView } from "../../parts/diff-view.tsx";
import { Select } from "../../parts/field.tsx";
import { shortId } from "../../parts/format.ts";
import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue } from "../../parts/page.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { useMayAct } from "../../settings.ts";
import { idOf, parentOf, type State, type ThreadFacts } from "./data.ts";
import { EditStateDialog } from "./edit-state.tsx";
import { ForkDialog } from "./fork.tsx";
import { tipsOf } from "./lanes.ts";
import { nodesOf } from "./nodes.ts";

interface Props {
  thread: ThreadFacts;
  state: State;
  states: State[];
  onChoose: (id: string) => void;
  onCompare: (id: string) => void;
}

/** One checkpoint: its node, its state, its changes since the checkpoint before, and its actions. */
export function Checkpoint({ thread, state, states, onChoose, onCompare }: Props) {
  const parent = states.find((one) => idOf(one) === parentOf(state));
  const { metadata = {}, values, next } = state;
  const runId = typeof metadata.run_id === "string" ? metadata.run_id : undefined;
  return (
    <section aria-label="Checkpoint" className="flex min-h-0 flex-col">
      <div className="space-y-3 p-4">
        <Actions {...{ thread, state, states, onChoose, onCompare }} />
        <KeyValue
          entries={[
            ["Made by", nodesOf(state, parent)],
            ["Next", next.length > 0 ? next.join(", ") : "nothing"],
            ["Step", `${String(metadata.step ?? "–")}, source ${String(metadata.source ?? "unknown")}`],
            [
              "Run",
              runId ? (
                <>
                  <Link key="run" href={`/threads/${thread.thread_id}/runs/${runId}`} className="text-accent underline">
                    {shortId(runId)}
                  </Link>
                  {metadata.run_attempt !== undefined && <span key="attempt">, attempt {String(metadata.run_attempt)}</span>}
                </>
              ) : (
                "none"
              ),
            ],
            ["Time", state.created_at ? <RelativeTime key="time" time={state.created_at} /> : "unknown"],
            ["Checkpoint", <Id key="id" id={idOf(state)} />],
          ]}
        />
      </div>
      <Tabs
        label="Views of the checkpoint"
        tabs={[
          {
            id: "state",
            label: "State",
            content: (
              <Padded>
                <JsonView value={values} label="State" />
              </Padded>
            ),
          },
          {
            id: "changes",
            label: "Changes",
            content: (
              <Padded>
                <Changes parent={parent} state={state} />
              </Padded>
            ),
          },
          {
            id: "tasks",
            label: "Tasks",
            content: (
              <Padded>
                <JsonView value={state.tasks} label="Tasks" />
              </Padded>
            ),
          },
        ]}
      />
    </section>
  );
}

const Padded = ({ children }: { children: React.ReactNode }) => <div className="p-4">{children}</div>;

function Changes({ parent, state }: { parent: State | undefined; state: State }) {
  if (!parent && parentOf(state)) return <p className="text-muted">The step before is not loaded. Show earlier checkpoints first.</p>;
  return <DiffView before={parent?.values ?? {}} after={state.values} />;
}

/** The buttons for the actions on a checkpoint. */
function Actions({ thread, state, states, onChoose, onCompare }: Props) {
  const mayAct = useMayAct();
  const [open, setOpen] = useState<"edit" | "fork">();
  const tips = tipsOf(states).filter((tip) => idOf(tip) !== idOf(state));
  const options = tips.map((tip) => ({
    value: idOf(tip),
    label: `${nodesOf(
      tip,
      states.find((one) => idOf(one) === parentOf(tip)),
    )}, step ${String(tip.metadata?.step ?? "?")}`,
  }));
  const close = () => setOpen(undefined);
  return (
    <div className="flex flex-wrap items-center gap-2">
      {mayAct && (
        <>
          <Button icon="branch" onClick={() => setOpen("fork")}>
            Fork from here
          </Button>
          <Button icon="pencil" onClick={() => setOpen("edit")}>
            Edit state
          </Button>
        </>
      )}
      {options.length > 0 && (
        <Select
          label="Compare with another branch"
          isLabelHidden
          className="w-44"
          value=""
          options={[{ value: "", label: "Compare with …" }, ...options]}
          onChange={(id) => id && onCompare(id)}
        />
      )}
      {open === "edit" && <EditStateDialog thread={thread} state={state} onDone={onChoose} onClose={close} />}
      {open === "fork" && <ForkDialog thread={thread} state={state} onClose={close} />}
    </div>
  );
}
