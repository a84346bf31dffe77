import { useState } from "react";
import { Button } from "../../../parts/button.tsx";
import { plural } from "../../../parts/format.ts";
import { Icon } from "../../../parts/icons.tsx";
import { Section } from "../../../parts/page.tsx";
import { duration } from "../../../parts/time.tsx";
import type { Assignment } from "./assignments.ts";
import { outcomeLooks } from "./outcome.tsx";
import { Growing } from "./steps-view.tsx";

/** The number of assignments that are shown at first. */
const mostShown = 12;

/** The assignments of the agents, with their times and outcomes. Running assignments come first, then the others, the newest first. */
export function AgentsView({ assignments }: { assignments: Assignment[] }) {
  const [showsAll, setShowsAll] = useState(false);
  if (assignments.length === 0) return null;
  const working = assignments.filter(({ endedAt }) => endedAt === undefined);
  const ended = assignments.filter(({ endedAt }) => endedAt !== undefined).toReversed();
  const all = [...working, ...ended];
  const shown = showsAll ? all : all.slice(0, Math.max(mostShown, working.length));
  const failed = ended.filter(({ outcome }) => outcome === "failed").length;
  const summary = [
    working.length > 0 && `${working.length} at work`,
    ended.length > failed && `${ended.length - failed} done`,
    failed > 0 && `${failed} failed`,
  ];
  return (
    <Section title="Agents" actions={<span className="numbers text-sm text-muted">{summary.filter(Boolean).join(", ")}</span>}>
      <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
        {shown.map((assignment, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an attempt may do the same task again
          <Work key={`${assignment.id} ${index}`} assignment={assignment} />
        ))}
      </ul>
      {shown.length < all.length && (
        <Button kind="quiet" className="mt-1" onClick={() => setShowsAll(true)}>
          Show {plural(all.length - shown.length, "more", "more")}
        </Button>
      )}
    </Section>
  );
}

function Work({ assignment: { agent, key, task, startedAt, endedAt, outcome } }: { assignment: Assignment }) {
  const { icon, colour, label } = outcomeLooks[outcome];
  return (
    <li className={`flex items-baseline gap-2.5 px-3 py-2 text-sm ${endedAt === undefined ? "bg-accent-soft" : ""}`}>
      <Icon
        name={icon}
        className={`size-3.5 self-center ${colour} ${outcome === "running" ? "animate-spin [animation-duration:1.6s]" : ""}`}
      />
      <span className="sr-only">{label}:</span>
      <span className="min-w-0 flex-1 md:flex md:gap-3">
        <span className="block shrink-0 font-medium md:w-44 md:truncate" title={agent}>
          {agent}
        </span>
        <span className="line-clamp-2 min-w-0 flex-1 text-muted md:line-clamp-1" title={task}>
          {key && key !== agent && <span className="mr-1.5 font-mono text-xs">{key}</span>}
          {task}
        </span>
      </span>
      <span className={`numbers shrink-0 text-right text-xs ${outcome === "failed" ? "text-bad" : "text-muted"}`}>
        {outcome === "failed" && "failed · "}
        {outcome === "stopped" && "stopped · "}
        {endedAt === undefined ? <Growing since={startedAt} /> : duration(Math.max(0, endedAt - startedAt))}
      </span>
    </li>
  );
}
