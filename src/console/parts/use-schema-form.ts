import { useMemo, useState } from "react";
import { checkValue, type Problems } from "./check-value.ts";
import { useDraft } from "./draft.ts";
import { initialValue, type JsonSchema } from "./json-schema.ts";

interface Entered {
  value: unknown;
  /** The text in the JSON editor. Undefined while the form is shown instead of the editor. */
  text?: string | undefined;
}

export interface SchemaFormState {
  schema: JsonSchema;
  value: unknown;
  setValue: (value: unknown) => void;
  /** The text in the JSON editor. Undefined while the form is shown instead of the editor. */
  text: string | undefined;
  setText: (text: string) => void;
  /** Switches between the form and the JSON editor. Does not switch to the form while the text is not valid JSON. */
  toggle: () => void;
  problems: Problems;
  /** Tells whether the problem of a field is shown. It is shown after the person has left the field or has tried to send the form. */
  isShown: (path: string) => boolean;
  leave: (path: string) => void;
  /** Returns the value if it is valid. Otherwise shows all problems and returns undefined. */
  submit: () => { value: unknown } | undefined;
}

interface Options {
  schema: JsonSchema;
  /** The initial value of the form. Default: the defaults of the schema. */
  initial?: unknown;
  /** The key under which the page saves the text that the person has typed. Without a key, the text is lost when the form is closed. */
  draft?: string | undefined;
}

const noProblems: Problems = new Map();

/** Holds the state of a form that is made from a JSON schema. Show the form with `SchemaForm`. */
export function useSchemaForm({ schema, initial, draft }: Options): SchemaFormState {
  const [{ value, text }, enter] = useDraft<Entered>(draft, () => ({ value: initial ?? initialValue(schema, schema) }));
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [showsAll, setShowsAll] = useState(false);
  const parsed = useMemo(() => (text === undefined ? { value } : parse(text)), [text, value]);
  const problems = useMemo(
    () => ("problem" in parsed ? new Map([["", parsed.problem]]) : checkValue(schema, schema, parsed.value)),
    [schema, parsed],
  );
  return {
    schema,
    value,
    text,
    problems: problems.size > 0 ? problems : noProblems,
    setValue: (next) => enter({ value: next }),
    setText: (next) => enter((old) => ({ ...old, text: next })),
    toggle: () => {
      if (text === undefined) enter({ value, text: value === undefined ? "" : JSON.stringify(value, null, 2) });
      else if (text.trim() === "") enter({ value: undefined });
      else if ("value" in parsed) enter({ value: parsed.value });
      else setShowsAll(true);
    },
    isShown: (path) => showsAll || left.has(path),
    leave: (path) => setLeft((old) => (old.has(path) ? old : new Set(old).add(path))),
    submit: () => {
      setShowsAll(problems.size > 0);
      return problems.size === 0 && "value" in parsed ? { value: parsed.value } : undefined;
    },
  };
}

function parse(text: string): { value: unknown } | { problem: string } {
  if (text.trim() === "") return { problem: "Enter a value as JSON." };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: `This is not JSON. ${error instanceof Error ? error.message : ""}` };
  }
}
