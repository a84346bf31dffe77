import type { ReactNode } from "react";
import { CodeEditor } from "./code-editor.tsx";

interface Props {
  label: string;
  /** The initial text. To replace it, give the field a new `key`. */
  text: string;
  hint?: ReactNode;
  error?: string | undefined;
  onChange: (text: string) => void;
}

/** A labelled editor for a JSON value. Below the editor, the field shows `error`, or `hint` if there is no error. */
export function JsonField({ label, text, hint, error, onChange }: Props) {
  return (
    <div role="group" aria-label={label}>
      <p className="mb-1 text-sm font-medium">{label}</p>
      <CodeEditor label={label} value={text} onChange={onChange} />
      {(error ?? hint) !== undefined && <p className={`mt-1 text-xs ${error ? "text-bad" : "text-muted"}`}>{error ?? hint}</p>}
    </div>
  );
}

export const jsonText = (value: unknown): string => JSON.stringify(value, null, 2);

export type ParsedObject = { value: Record<string, unknown> } | { problem: string };

/** Parses a text as a JSON object, or returns the problem with it. An empty text counts as an empty object. */
export function parseObject(text: string): ParsedObject {
  if (text.trim() === "") return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { value: value as Record<string, unknown> };
    return { problem: "Enter a JSON object." };
  } catch (error) {
    return { problem: `This is not JSON. ${error instanceof Error ? error.message : ""}` };
  }
}

/**
 * Returns a problem if the entered object lacks keys of the stored object. The service merges metadata into the stored metadata, so a key
 * that the person has deleted here would stay stored.
 */
export function withKeptKeys(parsed: ParsedObject, present: Record<string, unknown> = {}): ParsedObject {
  if (!("value" in parsed)) return parsed;
  const missing = Object.keys(present).filter((key) => !(key in parsed.value));
  if (missing.length === 0) return parsed;
  return { problem: `The service keeps keys that are left out. Set ${missing.join(", ")} to null instead.` };
}

export const problemOf = (parsed: ParsedObject): string | undefined => ("problem" in parsed ? parsed.problem : undefined);
