import { JsonView } from "../json-view.tsx";

/** Shows the details of a question. A graph wrote the details, so they are shown as plain text and never as HTML. */
export function Details({ value }: { value: unknown }) {
  if (value === undefined || value === null) return null;
  if (typeof value === "string")
    return (
      <p className="max-h-96 overflow-auto rounded-md border border-line bg-surface px-3 py-2 break-words whitespace-pre-wrap">{value}</p>
    );
  return <JsonView value={value} label="Details" />;
}
