import { useMemo } from "react";
import { Link } from "wouter";
import { ApiFailure, answerOf, api } from "../api.ts";
import { useLive } from "../live.ts";
import { Chart } from "../parts/chart.tsx";
import { number, plural } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { Page, Section } from "../parts/page.tsx";
import { Empty, Failure, Skeleton } from "../parts/states.tsx";
import { type Figures, readFigures, readInfo } from "./live/figures.ts";
import { HaltButton, HaltNotice } from "./live/halt.tsx";
import { type Hour, hourOf, sum } from "./live/history.ts";
import { Tiles } from "./live/tiles.tsx";
import { Workers } from "./live/workers.tsx";

const everyMs = 5_000;

/** The home page. It shows the present state of the service, and the runs of the last hour. */
export default function Live() {
  const info = useLive(["info"], readInfo, { every: everyMs });
  const figures = useLive(["figures"], readFigures, { every: everyMs });
  const workers = useLive(["workers"], (signal) => answerOf(api.GET("/workers", { signal })), { every: everyMs });
  const stats = useLive(["stats"], (signal) => answerOf(api.GET("/runs/stats", { signal })), { every: everyMs });
  const hour = useMemo(() => stats.data && hourOf(stats.data), [stats.data]);
  const isHalted = info.data?.halted === true;
  const failed = figures.error ?? workers.error ?? stats.error;
  const isRefused = failed instanceof ApiFailure && failed.status === 403;
  const isComplete = figures.data !== undefined && workers.data !== undefined;
  return (
    <Page title="Live" actions={info.data && !isRefused && <HaltButton isHalted={isHalted} />}>
      {isRefused && <NotForAll sentence={failed.message} />}
      {!isRefused &&
        !isComplete &&
        (failed ? <Failed error={failed} retry={() => void figures.refetch()} /> : <Skeleton lines={9} className="p-6" />)}
      {!isRefused && figures.data && workers.data && (
        <div className="space-y-6 p-4 lg:p-6">
          {isHalted && <HaltNotice />}
          <WithoutWorker waiting={figures.data.withoutWorker} />
          <Tiles figures={figures.data} hour={hour} />
          {hour && <LastHour hour={hour} />}
          <Section title="Workers">
            <Workers workers={workers.data} />
          </Section>
        </div>
      )}
    </Page>
  );
}

const Failed = ({ error, retry }: { error: unknown; retry: () => void }) => (
  <Failure what="The state of the service could not be loaded" error={error} retry={retry} />
);

function LastHour({ hour }: { hour: Hour }) {
  const { created, succeeded, failed } = hour;
  const series = useMemo(
    () => [
      { label: "Created", values: full(created), colour: "muted", isDashed: true },
      { label: "Succeeded", values: full(succeeded), colour: "accent" },
      { label: "Failed", values: full(failed), colour: "bad" },
    ],
    [created, succeeded, failed],
  );
  const times = useMemo(() => full(hour.times), [hour.times]);
  const label = `Runs per minute in the last hour: ${number(sum(created))} created, ${number(sum(succeeded))} succeeded, ${number(sum(failed))} failed.`;
  return (
    <Section title="Runs per minute">
      <div className="rounded-lg border border-line bg-surface p-4">
        <Chart label={label} times={times} series={series} />
      </div>
    </Section>
  );
}

/** Leaves out the current minute. It is incomplete, so the chart would show a drop. */
const full = (values: number[]) => values.slice(0, -1);

/** Names the graphs that have waiting threads but no worker. Without this notice, nobody would see why their runs wait. */
function WithoutWorker({ waiting }: { waiting: Figures["withoutWorker"] }) {
  return waiting.map(({ graph, threads }) => (
    <p key={graph} className="flex items-start gap-2 rounded-lg bg-warn-soft px-4 py-2.5 text-warn">
      <Icon name="warning" className="mt-0.5" />
      <span>
        {plural(threads, "thread waits", "threads wait")} for the graph <code className="font-mono">{graph}</code>, which no live worker
        has.
      </span>
    </p>
  ));
}

function NotForAll({ sentence }: { sentence: string }) {
  return (
    <Empty
      title="The live page is for operators"
      action={
        <Link href="/runs" className="text-accent underline">
          Go to your runs
        </Link>
      }
    >
      {sentence}
    </Empty>
  );
}
