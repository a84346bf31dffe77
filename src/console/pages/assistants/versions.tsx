import { useState } from "react";
import { useSearchParams } from "wouter";
import { Button } from "../../parts/button.tsx";
import { differences } from "../../parts/diff.ts";
import { DifferenceList } from "../../parts/difference-list.tsx";
import { Select } from "../../parts/field.tsx";
import { Section } from "../../parts/page.tsx";
import { Failure, Skeleton } from "../../parts/states.tsx";
import { Tag } from "../../parts/status.tsx";
import { RelativeTime } from "../../parts/time.tsx";
import { useMayAct } from "../../settings.ts";
import { type Assistant, contentOf, useVersions, type Version } from "./reads.ts";
import { SetLatest } from "./set-latest.tsx";

const step = 50;

/** The versions of an assistant, and the differences between two of them. The URL contains the two compared versions. */
export function Versions({ assistant }: { assistant: Assistant }) {
  const [limit, setLimit] = useState(step);
  const versions = useVersions(assistant.assistant_id, limit);
  const [params, setParams] = useSearchParams();
  if (!versions.data)
    return versions.error ? (
      <Failure what="The versions could not be loaded" error={versions.error} retry={() => void versions.refetch()} />
    ) : (
      <Skeleton className="p-6" />
    );
  const all = versions.data;
  const to = Number(params.get("to")) || assistant.version;
  const from = Number(params.get("from")) || (all.find(({ version }) => version < to)?.version ?? to);
  const choose = (next: { from?: number; to: number }) =>
    setParams({ tab: "versions", ...(next.from && { from: String(next.from) }), to: String(next.to) }, { replace: true });
  return (
    <div className="grid gap-6 p-4 md:grid-cols-[minmax(0,20rem)_minmax(0,1fr)] lg:p-6">
      <VersionList {...{ assistant, to }} versions={all} onChoose={(version) => choose({ to: version })}>
        {all.length === limit && <Button onClick={() => setLimit(limit + step)}>Show older versions</Button>}
      </VersionList>
      <Comparison versions={all} from={from} to={to} onChoose={choose} />
    </div>
  );
}

interface ListProps {
  assistant: Assistant;
  versions: Version[];
  to: number;
  onChoose: (version: number) => void;
  children: React.ReactNode;
}

function VersionList({ assistant, versions, to, onChoose, children }: ListProps) {
  return (
    <Section title="Versions">
      <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {versions.map((version) => (
          <li key={version.version} className={`flex items-center gap-2 pr-2 ${version.version === to ? "bg-accent-soft" : ""}`}>
            <button
              type="button"
              aria-current={version.version === to}
              onClick={() => onChoose(version.version)}
              className="min-w-0 flex-1 px-3 py-2 text-left focus-visible:-outline-offset-2"
            >
              <span className="flex items-center gap-2 font-medium">
                Version {version.version}
                {version.version === assistant.version && <Tag tone="good">Latest</Tag>}
              </span>
              <span className="flex gap-1 text-sm text-muted">
                <RelativeTime time={version.created_at} />
                {version.name !== assistant.name && <span className="truncate">· {version.name}</span>}
              </span>
            </button>
            {version.version !== assistant.version && <LatestButton assistant={assistant} version={version} />}
          </li>
        ))}
      </ul>
      <div className="mt-2">{children}</div>
    </Section>
  );
}

function LatestButton({ assistant, version }: { assistant: Assistant; version: Version }) {
  const [isAsking, setAsking] = useState(false);
  if (!useMayAct()) return null;
  return (
    <>
      <Button aria-label={`Make latest: version ${version.version}`} onClick={() => setAsking(true)}>
        Make latest
      </Button>
      {isAsking && <SetLatest {...{ assistant, version }} onClose={() => setAsking(false)} />}
    </>
  );
}

interface ComparisonProps {
  versions: Version[];
  from: number;
  to: number;
  onChoose: (chosen: { from: number; to: number }) => void;
}

function Comparison({ versions, from, to, onChoose }: ComparisonProps) {
  const [before, after] = [from, to].map((wanted) => versions.find(({ version }) => version === wanted));
  const options = versions.map(({ version }) => ({ value: String(version), label: `Version ${version}` }));
  return (
    <Section title={from === to ? "Differences" : `Differences from version ${from} to version ${to}`}>
      {versions.length < 2 ? (
        <p className="text-muted">There is only one version. A change of the assistant makes the next one.</p>
      ) : (
        <div className="space-y-3">
          <div className="grid max-w-md grid-cols-2 gap-2">
            <Select label="From" value={String(from)} options={options} onChange={(value) => onChoose({ from: Number(value), to })} />
            <Select label="To" value={String(to)} options={options} onChange={(value) => onChoose({ from, to: Number(value) })} />
          </div>
          {before && after ? (
            <DifferenceList label="Differences" differences={differences(contentOf(before), contentOf(after))} />
          ) : (
            <p className="text-muted">One of these versions is not in the list.</p>
          )}
        </div>
      )}
    </Section>
  );
}
