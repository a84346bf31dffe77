import { type ReactNode, useState } from "react";
import { Copy } from "./copy.tsx";
import { plural } from "./format.ts";
import { Icon } from "./icons.tsx";

/** The maximum number of entries of a value that are shown at first. */
const mostEntries = 50;
/** The maximum number of characters of a text that are shown at first. */
const mostCharacters = 2_000;
/** The depth down to which a value is shown unfolded before the person opens or folds anything. */
const openDepth = 2;

/**
 * Shows a JSON value as plain text, because the value may come from a run. A person can fold objects and lists. A long value is cut until
 * the person asks for the rest.
 */
export function JsonView({ value, label = "Value" }: { value: unknown; label?: string }) {
  return (
    <section aria-label={label} className="relative rounded-md border border-line bg-surface">
      <div className="absolute top-1 right-1">
        <Copy text={textOf(value)} label={`Copy ${label.toLowerCase()}`} />
      </div>
      <div className="overflow-x-auto py-2 pr-9 pl-3 font-mono text-xs leading-5">
        <Value value={value} depth={0} />
      </div>
    </section>
  );
}

const textOf = (value: unknown) => JSON.stringify(value, null, 2) ?? String(value);

function Value({ value, depth }: { value: unknown; depth: number }): ReactNode {
  if (typeof value === "string") return <Text text={value} />;
  if (typeof value !== "object" || value === null) return <span className="text-warn">{String(value)}</span>;
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return <span className="text-muted">{isList ? "[]" : "{}"}</span>;
  return <Entries entries={entries} isList={isList} depth={depth} />;
}

function Text({ text }: { text: string }) {
  const [showsAll, setShowsAll] = useState(false);
  const isCut = !showsAll && text.length > mostCharacters;
  return (
    <span className="break-words whitespace-pre-wrap text-good">
      {JSON.stringify(isCut ? text.slice(0, mostCharacters) : text).replaceAll("\\n", "\n")}
      {isCut && <More onClick={() => setShowsAll(true)}>Show all {plural(text.length, "character")}</More>}
    </span>
  );
}

function Entries({ entries, isList, depth }: { entries: [string, unknown][]; isList: boolean; depth: number }) {
  const [isOpen, setOpen] = useState(depth < openDepth);
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? entries : entries.slice(0, mostEntries);
  const summary = isList ? `[${plural(entries.length, "item")}]` : `{${plural(entries.length, "key")}}`;
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="-ml-1 inline-flex items-center gap-0.5 align-bottom rounded-sm text-muted hover:text-text"
      >
        <Icon name="chevron" className={`size-3 ${isOpen ? "rotate-90" : ""}`} />
        {summary}
      </button>
      {isOpen && (
        <ul className="border-l border-line pl-3">
          {shown.map(([key, item]) => (
            <li key={key}>
              <span className="text-accent">{key}</span>
              <span className="text-muted">: </span>
              <Value value={item} depth={depth + 1} />
            </li>
          ))}
          {shown.length < entries.length && (
            <li>
              <More onClick={() => setShowsAll(true)}>Show all {plural(entries.length, isList ? "item" : "key")}</More>
            </li>
          )}
        </ul>
      )}
    </>
  );
}

function More({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className="ml-1 font-sans text-accent underline">
      {children}
    </button>
  );
}
