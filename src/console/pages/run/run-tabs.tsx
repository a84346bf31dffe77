import { JsonView } from "../../parts/json-view.tsx";
import { KeyValue, Section } from "../../parts/page.tsx";
import { Skeleton } from "../../parts/states.tsx";
import { Tag } from "../../parts/status.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import type { Spending } from "./cost.ts";
import { CostTable } from "./cost-table.tsx";
import type { Run, RunError, State } from "./data.ts";
import { isOpen } from "./data.ts";
import { ErrorTab } from "./error-tab.tsx";
import { EventsTab } from "./events-tab.tsx";
import type { Followed } from "./follow.ts";
import { Nothing, Padded } from "./panel.tsx";

interface Props {
  run: Run;
  /** The state at the run's last checkpoint. Null if the run has no checkpoint, undefined until the state is loaded. */
  state: State | null | undefined;
  error: RunError | null | undefined;
  followed: Followed;
  spending: Spending | undefined;
  open: string | undefined;
  onOpen: (id: string) => void;
  onFork: () => void;
}

/** The tabs of a run: its state, output, input, events and cost, and the error of a failed run. */
export function RunTabs({ run, state, error, followed, spending, open, onOpen, onFork }: Props) {
  const hasFailed = run.status === "error" || run.status === "timeout";
  const tabs = [
    hasFailed && { id: "error", label: "Error", content: <ErrorTab {...{ run, error, state, onFork }} /> },
    { id: "state", label: "State", content: <StateTab run={run} state={state} /> },
    { id: "output", label: "Output", content: <OutputTab run={run} state={state} /> },
    { id: "input", label: "Input", content: <InputTab run={run} /> },
    { id: "events", label: "Events", content: <EventsTab followed={followed} goesOn={isOpen(run.status)} /> },
    spending && { id: "cost", label: "Cost", content: <CostTable spending={spending} /> },
  ].filter((tab) => typeof tab === "object");
  const known = tabs.some(({ id }) => id === open) ? open : tabs[0]?.id;
  return <Tabs label="About the run" tabs={tabs} open={known} onOpen={onOpen} />;
}

function StateTab({ run, state }: Pick<Props, "run" | "state">) {
  if (state === undefined) return <Skeleton lines={5} className="p-4" />;
  if (state === null)
    return <Nothing>{isOpen(run.status) ? "The run has stored no step yet." : "The thread keeps no checkpoint of this run."}</Nothing>;
  const { step } = (state.metadata ?? {}) as { step?: number };
  return (
    <Padded>
      <p className="flex flex-wrap items-center gap-2 text-sm text-muted">
        The values at the run's last checkpoint{step !== undefined && `, after step ${step}`}.
        {state.next.length > 0 && (
          <span className="flex flex-wrap items-center gap-1">
            Next:{" "}
            {state.next.map((name) => (
              <Tag key={name}>{name}</Tag>
            ))}
          </span>
        )}
      </p>
      <JsonView value={state.values} label="State" />
    </Padded>
  );
}

/** Shows the values of the run's last checkpoint as the output of the run. */
function OutputTab({ run, state }: Pick<Props, "run" | "state">) {
  if (isOpen(run.status)) return <Nothing>The run has not ended. Its output appears here when it has.</Nothing>;
  if (state === undefined) return <Skeleton lines={5} className="p-4" />;
  if (state === null) return <Nothing>The thread keeps no checkpoint of this run, so its output is unknown.</Nothing>;
  const messages = (state.values as { messages?: unknown } | null)?.messages;
  const last = Array.isArray(messages) ? (messages.at(-1) as { content?: unknown } | undefined) : undefined;
  return (
    <Padded>
      {last !== undefined && typeof last.content === "string" && last.content !== "" && (
        <Section title="Last message">
          <p className="max-h-80 max-w-3xl overflow-auto break-words whitespace-pre-wrap">{last.content}</p>
        </Section>
      )}
      <JsonView value={state.values} label="Output" />
    </Padded>
  );
}

interface Kwargs {
  input?: unknown;
  command?: unknown;
  config?: unknown;
  context?: unknown;
  stream_mode?: string[];
  durability?: string;
}

function InputTab({ run: { kwargs, metadata, multitask_strategy } }: Pick<Props, "run">) {
  const { input, command, config, context, stream_mode, durability } = kwargs as Kwargs;
  const parts: [title: string, value: unknown][] = [
    ["Input", input ?? null],
    ["Command", command ?? undefined],
    ["Context", context ?? undefined],
    ["Config", config],
    ["Metadata", metadata],
  ];
  return (
    <Padded>
      {parts.map(
        ([title, value]) =>
          value !== undefined && (
            <Section key={title} title={title}>
              <JsonView value={value} label={title} />
            </Section>
          ),
      )}
      <KeyValue
        entries={[
          ["Stream modes", stream_mode?.join(", ") ?? "–"],
          ["Durability", durability ?? "–"],
          ["Other runs of the thread", multitask_strategy],
        ]}
      />
    </Padded>
  );
}
