import { type Change, pathText } from "./diff.ts";
import { plural } from "./format.ts";
import { Tag } from "./status.tsx";

const tones = { added: "good", removed: "bad", changed: "warn" } as const;
/** The maximum number of differences that are shown. */
const mostShown = 200;
/** The maximum number of characters of a value that are shown. */
const mostCharacters = 2_000;

/** The differences between two values: what was added, removed and changed, by path. */
export function DifferenceList({ label, differences }: { label: string; differences: Change[] }) {
  if (differences.length === 0) return <p className="text-muted">There is no difference.</p>;
  return (
    <ul aria-label={label} className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
      {differences.slice(0, mostShown).map((difference) => (
        <li key={pathText(difference.path)} className="px-3 py-2.5">
          <div className="flex flex-wrap items-center gap-2">
            <Tag tone={tones[difference.kind]}>{difference.kind}</Tag>
            <code className="min-w-0 font-mono text-xs break-all">{pathText(difference.path)}</code>
          </div>
          {difference.kind !== "added" && <Side sign="−" name="Before" look="bg-bad-soft" value={difference.before} />}
          {difference.kind !== "removed" && <Side sign="+" name="After" look="bg-good-soft" value={difference.after} />}
        </li>
      ))}
      {differences.length > mostShown && (
        <li className="px-3 py-2 text-muted">and {plural(differences.length - mostShown, "more difference")}</li>
      )}
    </ul>
  );
}

function Side({ sign, name, look, value }: { sign: string; name: string; look: string; value: unknown }) {
  return (
    <div className={`mt-1.5 flex gap-2 rounded-sm px-2 py-1 font-mono text-xs ${look}`}>
      <span aria-hidden="true" className="text-muted select-none">
        {sign}
      </span>
      <span className="sr-only">{name}: </span>
      <span className="min-w-0 break-words whitespace-pre-wrap">{textOf(value)}</span>
    </div>
  );
}

function textOf(value: unknown): string {
  const text = typeof value === "string" && value !== "" ? value : JSON.stringify(value, null, 2);
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)} …` : text;
}
