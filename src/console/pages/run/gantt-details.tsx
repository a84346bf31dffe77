import type { ReactNode } from "react";
import { number } from "../../parts/format.ts";
import { duration } from "../../parts/time.tsx";
import { dollars } from "./cost.ts";
import type { Attempt } from "./data.ts";
import { kindLooks, outcomeLooks } from "./looks.ts";
import { handoverSentence, type Row, workerName } from "./rows.ts";
import type { Item } from "./spans.ts";

/** The row that is hovered or focused, and its position on the screen. */
export interface Pointed {
  row: Row;
  left: number;
  top: number;
  bottom: number;
}

const width = 320;

/** A box beside a row, with the exact times and figures of the row. */
export function Details({ row, left, top, bottom, zero }: Pointed & { zero: number }) {
  const x = Math.max(8, Math.min(left + 12, innerWidth - width - 8));
  const isAbove = bottom > innerHeight - 230;
  const place = isAbove ? { bottom: innerHeight - top + 6 } : { top: bottom + 6 };
  return (
    <div
      role="tooltip"
      className="pointer-events-none fixed z-40 max-w-[calc(100vw-1rem)] rounded-lg border border-line bg-surface px-3 py-2.5 text-sm [box-shadow:var(--shadow)]"
      style={{ width, left: x, ...place }}
    >
      <Content row={row} zero={zero} />
    </div>
  );
}

function Content({ row, zero }: { row: Row; zero: number }): ReactNode {
  if (row.kind === "span") return <OfSpan item={row.item} zero={zero} />;
  if (row.kind === "attempt") return <OfAttempt attempt={row.item.attempt} zero={zero} />;
  if (row.kind === "handover") return <p>{handoverSentence(row)}</p>;
  return (
    <>
      <p className="mb-1.5 font-medium">Waiting for a worker</p>
      <Facts
        facts={[
          ["due", clock(row.from)],
          ["claimed", row.to === undefined ? "not yet" : clock(row.to)],
          ["waited", row.to === undefined ? undefined : duration(row.to - row.from)],
        ]}
      />
    </>
  );
}

function OfSpan({ item: { span, from, to, input, output, dollars: cost, path }, zero }: { item: Item; zero: number }) {
  const { label, text } = outcomeLooks[to === undefined ? "running" : span.outcome];
  return (
    <>
      <p className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 truncate font-medium">{span.name}</span>
        <span className={`text-xs ${text}`}>
          {kindLooks[span.kind].label}, {label}
        </span>
      </p>
      {path.includes(":") && <p className="truncate font-mono text-xs text-muted">{path.replaceAll(":", " › ")}</p>}
      <Facts
        facts={[
          ["began", `${clock(from)} (${offset(from - zero)})`],
          ["ended", to === undefined ? "not yet" : `${clock(to)} (${offset(to - zero)})`],
          ["took", to === undefined ? undefined : exactly(to - from)],
          ["tokens", input + output > 0 ? `${number(input)} in, ${number(output)} out` : undefined],
          ["cost", cost > 0 ? dollars(cost) : undefined],
        ]}
      />
      {span.error !== null && <p className="mt-1.5 line-clamp-5 break-words text-bad">{span.error}</p>}
    </>
  );
}

function OfAttempt({ attempt, zero }: { attempt: Attempt; zero: number }) {
  const { claimed_at, ended_at, version, worker_id, dropped_spans, spans } = attempt;
  const at = (time: string) => `${clock(Date.parse(time))} (${offset(Date.parse(time) - zero)})`;
  return (
    <>
      <p className="mb-1.5 font-medium">Attempt {attempt.attempt}</p>
      <Facts
        facts={[
          ["worker", workerName(attempt)],
          ["id", worker_id?.slice(-12)],
          ["version", version ?? undefined],
          ["claimed", claimed_at === null ? "not recorded" : at(claimed_at)],
          ["ended", ended_at === null ? (claimed_at === null ? "not recorded" : "not yet") : at(ended_at)],
          ["spans", dropped_spans > 0 ? `${number(spans.length)}, and ${number(dropped_spans)} not kept` : number(spans.length)],
        ]}
      />
    </>
  );
}

function Facts({ facts }: { facts: [name: string, value: string | undefined][] }) {
  return (
    <dl className="numbers mt-1 grid grid-cols-[4rem_1fr] gap-y-0.5 text-xs">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="min-w-0 truncate">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

const format = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const clock = (time: number) => format.format(time);
const exactly = (ms: number) => (ms < 10_000 ? `${number(ms)} ms` : duration(ms));
const offset = (ms: number) => `${ms < 0 ? "−" : "+"}${exactly(Math.abs(ms))}`;
