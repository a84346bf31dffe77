import { useRef } from "react";
import { IconButton } from "./button.tsx";
import { CodeEditor } from "./code-editor.tsx";
import { kindOf, resolve } from "./json-schema.ts";
import { SchemaField } from "./schema-field.tsx";
import type { SchemaFormState } from "./use-schema-form.ts";

interface Props {
  form: SchemaFormState;
  /** The name of the value for screen readers. */
  label: string;
  /** The title above the form, beside the button for the JSON editor. Default: `label`. */
  title?: string;
}

/** A form made from a JSON schema. A person can also edit the value as JSON. `useSchemaForm` holds the state of the form. */
export function SchemaForm({ form, label, title }: Props) {
  const isJson = form.text !== undefined;
  // A person always enters a value of the kind "any" as JSON, so the button that switches to JSON is not shown.
  const isAny = kindOf(resolve(form.schema, form.schema)) === "any";
  return (
    <div role="group" aria-label={label}>
      <div className="mb-1.5 flex min-h-7 items-center gap-2">
        <span className="text-sm font-medium">{title ?? label}</span>
        {!isAny && (
          <IconButton
            icon={isJson ? "list" : "braces"}
            label={isJson ? "Show the form" : "Edit as JSON"}
            aria-pressed={isJson}
            className="ml-auto"
            onClick={form.toggle}
          />
        )}
      </div>
      {isJson ? (
        <JsonText form={form} label={label} />
      ) : (
        <SchemaField
          Field={SchemaField}
          form={form}
          schema={form.schema}
          path=""
          name={label}
          isRequired
          isRoot
          value={form.value}
          onChange={form.setValue}
        />
      )}
    </div>
  );
}

function JsonText({ form, label }: Pick<Props, "form" | "label">) {
  const shown = useRef(form.text ?? ""); // the initial text only, because the editor keeps its own text
  return (
    <div role="group" aria-label={`${label} as JSON`} onBlur={() => form.leave("")}>
      <CodeEditor label={`${label} as JSON`} value={shown.current} onChange={form.setText} />
      <ul className="mt-1 space-y-0.5 text-xs text-bad">
        {form.isShown("") &&
          [...form.problems].map(([path, problem]) => (
            <li key={path}>
              {path && <code className="font-mono">{path.slice(1).replaceAll("/", ".")}: </code>}
              {problem}
            </li>
          ))}
      </ul>
    </div>
  );
}
