import { useMemo } from "react";
import { type Change, differences, mostChanges } from "./diff.ts";
import { plural } from "./format.ts";
import { JsonView } from "./json-view.tsx";
import { Tag } from "./status.tsx";

interface Props {
  before: unknown;
  after: unknown;
  /** The headings of the two values. */
  names?: [before: string, after: string];
}

const looks = {
  added: { label: "Added", tone: "good" },
  removed: { label: "Removed", tone: "bad" },
  changed: { label: "Changed", tone: "warn" },
} as const;

/** The differences between two values, each with its path. The values may come from runs, so they are shown as plain text. */
export function DiffView({ before, after, names = ["Before", "After"] }: Props) {
  const changes = useMemo(() => differences(before, after), [before, after]);
  if (changes.length === 0) return <p className="text-muted">There is no difference.</p>;
  return (
    <div>
      <p className="mb-2 text-sm text-muted">
        {changes.length >= mostChanges ? `The first ${mostChanges} differences` : plural(changes.length, "difference")}
      </p>
      <ol className="space-y-3">
        {changes.map((change) => (
          <Entry key={change.path.join("\n")} change={change} names={names} />
        ))}
      </ol>
    </div>
  );
}

function Entry({ change: { kind, path, before, after }, names }: { change: Change; names: [string, string] }) {
  const { label, tone } = looks[kind];
  return (
    <li>
      <p className="mb-1 flex flex-wrap items-center gap-2">
        <Tag tone={tone}>{label}</Tag>
        <code className="min-w-0 font-mono text-xs break-all">{path.length === 0 ? "(the whole state)" : path.join(" › ")}</code>
      </p>
      {kind === "changed" ? (
        <div className="grid gap-2 md:grid-cols-2">
          <Side name={names[0]} value={before} />
          <Side name={names[1]} value={after} />
        </div>
      ) : (
        <JsonView value={kind === "added" ? after : before} label={`${label} ${path.at(-1) ?? "value"}`} />
      )}
    </li>
  );
}

const Side = ({ name, value }: { name: string; value: unknown }) => (
  <div className="min-w-0">
    <p className="mb-0.5 text-xs text-muted">{name}</p>
    <JsonView value={value} label={name} />
  </div>
);
