import { useEffect, useRef, useState } from "react";
import { IconButton } from "../../../parts/button.tsx";
import { Icon } from "../../../parts/icons.tsx";
import { JsonView } from "../../../parts/json-view.tsx";
import { duration, exactTime, useNow } from "../../../parts/time.tsx";
import { type ListHandle, VirtualList } from "../../../parts/virtual-list.tsx";
import { outcomeLooks } from "./outcome.tsx";
import type { Step } from "./run-view.ts";

const rowHeight = 34;
const mostHeight = 420;

/** The executed nodes in the order of their start, each with its duration. A step can be opened to show the result of its node. */
export function StepsView({ steps }: { steps: Step[] }) {
  const [opened, open] = useState<string>();
  const list = useRef<ListHandle>(null);
  const shown = steps.find(({ id }) => id === opened);
  if (steps.length === 0) return <p className="px-4 py-10 text-center text-sm text-muted">No node has begun yet.</p>;
  return (
    <div>
      <div className="flex" style={{ height: Math.min(mostHeight, steps.length * rowHeight) }}>
        <VirtualList
          handle={list}
          label="Steps"
          count={steps.length}
          rowHeight={rowHeight}
          row={(index) => {
            const step = steps[index];
            return step && <StepRow step={step} number={index + 1} isOpened={step.id === opened} onOpen={() => open(step.id)} />;
          }}
        />
      </div>
      {shown && <StepDetails step={shown} onClose={() => open(undefined)} />}
    </div>
  );
}

interface RowProps {
  step: Step;
  number: number;
  isOpened: boolean;
  onOpen: () => void;
}

function StepRow({ step, number, isOpened, onOpen }: RowProps) {
  const { node, place, outcome, startedAt } = step;
  const { icon, colour, label } = outcomeLooks[outcome];
  const around = place.map((task) => task.split(":")[0]).join(" › ");
  return (
    <div role="cell" className="h-full">
      <button
        type="button"
        aria-expanded={isOpened}
        onClick={onOpen}
        className={`flex h-full w-full items-center gap-2.5 px-4 text-left text-sm hover:bg-sunken focus-visible:-outline-offset-2 ${number > 1 ? "border-t border-line" : ""} ${isOpened ? "bg-sunken" : ""}`}
      >
        <span className="numbers w-8 shrink-0 text-right text-xs text-muted">{number}</span>
        <Icon name={icon} className={`size-3.5 ${colour} ${outcome === "running" ? "animate-spin [animation-duration:1.6s]" : ""}`} />
        <span className="sr-only">{label}:</span>
        <span className="min-w-0 flex-1 truncate">
          {around && <span className="text-muted">{around} › </span>}
          {node}
        </span>
        <time dateTime={new Date(startedAt).toISOString()} className="numbers text-xs text-muted max-md:hidden">
          {clock.format(startedAt)}
        </time>
        <Lasted step={step} />
      </button>
    </div>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

function Lasted({ step: { startedAt, endedAt } }: { step: Step }) {
  return (
    <span className="numbers w-16 shrink-0 text-right text-xs">
      {endedAt === undefined ? <Growing since={startedAt} /> : duration(Math.max(0, endedAt - startedAt))}
    </span>
  );
}

/** The time since a moment. The display is updated every second, so it is used only for running steps. */
export function Growing({ since }: { since: number }) {
  return duration(Math.max(0, useNow() - since));
}

function StepDetails({ step, onClose }: { step: Step; onClose: () => void }) {
  const { node, startedAt, result, outcome } = step;
  const place = useRef<HTMLDivElement>(null);
  // The braces matter: in some browsers `scrollIntoView` returns a promise, and React would call that promise as the effect's cleanup.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another step comes into view
  useEffect(() => {
    place.current?.scrollIntoView({ block: "nearest" });
  }, [step.id]);
  return (
    <div ref={place} className="border-t border-line p-4">
      <div className="mb-2 flex items-center gap-2 text-sm">
        <h3 className="font-medium">{node}</h3>
        <span className="text-muted">began {exactTime(new Date(startedAt).toISOString())}</span>
        <IconButton icon="cross" label="Close the step" className="ml-auto" onClick={onClose} />
      </div>
      {outcome === "running" ? (
        <p className="text-sm text-muted">It has not returned anything yet.</p>
      ) : (
        <JsonView key={step.id} value={result ?? null} label="Result" />
      )}
    </div>
  );
}
