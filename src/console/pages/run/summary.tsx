import type { ReactNode } from "react";
import { Link } from "wouter";
import { number, plural, shortId } from "../../parts/format.ts";
import { duration, Elapsed, RelativeTime } from "../../parts/time.tsx";
import { dollars, type Spending } from "./cost.ts";
import type { Run, Timeline } from "./data.ts";
import { workerName } from "./rows.ts";

interface Props {
  run: Run;
  timeline: Timeline | undefined;
  assistantName: string | undefined;
  tokens: { input: number; output: number };
  spending: Spending | undefined;
}

/** The graph, the thread, the times and the cost of a run, in one line. On a narrow screen, they are in a grid. */
export function Summary({ run, timeline, assistantName, tokens, spending }: Props) {
  const graph = timeline?.graph_id ?? String(run.metadata.graph_id ?? "–");
  return (
    <dl className="grid grid-cols-2 gap-px border-b border-line bg-line sm:grid-cols-3 xl:auto-cols-fr xl:grid-flow-col xl:grid-cols-none">
      <Fact label="Graph" note={assistantName !== undefined && assistantName !== graph ? assistantName : undefined}>
        {graph}
      </Fact>
      <Fact label="Thread">
        <Link href={`/threads/${run.thread_id}`} title={run.thread_id} className="font-mono text-accent hover:underline">
          {shortId(run.thread_id)}
        </Link>
      </Fact>
      <Fact label="Created" note={timeline?.started_at && <Waited timeline={timeline} />}>
        <RelativeTime time={run.created_at} />
      </Fact>
      <Fact label="Duration" note={timeline?.ended_at ? <RelativeTime time={timeline.ended_at} /> : undefined}>
        {timeline ? <Duration timeline={timeline} /> : "–"}
      </Fact>
      <Attempts attempts={timeline?.attempts} />
      <Fact label="Tokens" note={tokens.input + tokens.output > 0 && `${number(tokens.input)} in, ${number(tokens.output)} out`}>
        {timeline ? number(tokens.input + tokens.output) : "–"}
      </Fact>
      {spending && (
        <Fact label="Cost" note={plural(spending.calls, "call")}>
          {dollars(spending.dollars)}
        </Fact>
      )}
    </dl>
  );
}

function Fact({ label, note, children }: { label: string; note?: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0 bg-page px-4 py-2.5 max-xl:last:odd:col-span-full lg:first:pl-6">
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="numbers min-w-0">
        <div className="truncate font-medium">{children}</div>
        <div className="min-h-4.5 truncate text-xs text-muted">{note}</div>
      </dd>
    </div>
  );
}

/** Shows how long the run waited for a worker. */
function Waited({ timeline: { due_at, started_at } }: { timeline: Timeline }) {
  const ms = Date.parse(started_at ?? due_at) - Date.parse(due_at);
  return `waited ${duration(Math.max(0, ms))}`;
}

function Duration({ timeline: { started_at, ended_at } }: { timeline: Timeline }) {
  if (started_at === null) return "–";
  if (ended_at === null) return <Elapsed since={started_at} />;
  return duration(Date.parse(ended_at) - Date.parse(started_at));
}

function Attempts({ attempts }: { attempts: Timeline["attempts"] | undefined }) {
  if (!attempts) return <Fact label="Attempts">–</Fact>;
  const takeovers = attempts.filter(({ outcome }) => outcome === "crashed" || outcome === "lost").length;
  const last = attempts.at(-1);
  return (
    <Fact
      label="Attempts"
      note={takeovers > 0 ? <span className="text-warn">{plural(takeovers, "takeover")}</span> : last && workerName(last)}
    >
      {number(attempts.length)}
    </Fact>
  );
}
