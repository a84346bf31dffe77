import { useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { CodeEditor } from "./code-editor.tsx";
import { Checkbox } from "./field.tsx";
import { BrokenJson, choicesOf, initialValue, isObject, type JsonSchema, kindOf, resolve } from "./json-schema.ts";
import { aroundOf, type FieldProps } from "./schema-around.ts";

/**
 * A group of fields. It shows the name and the hint of the object or list that contains the fields, and an error message about this object
 * or list.
 */
function Group({ children, ...props }: FieldProps & { children: React.ReactNode }) {
  const { label, hint, error } = aroundOf(props);
  if (props.isRoot)
    return (
      <>
        {children}
        {error && <p className="mt-1 text-xs text-bad">{error}</p>}
      </>
    );
  return (
    <div role="group" aria-label={label}>
      <p className="mb-1 text-sm font-medium">{label}</p>
      <div className="border-l-2 border-line pl-3">
        {hint && <p className="mb-2 text-xs text-muted">{hint}</p>}
        {children}
        {error && <p className="mt-1 text-xs text-bad">{error}</p>}
      </div>
    </div>
  );
}

/**
 * The fields of an object. The fields of an optional object are hidden until a person adds the object. Otherwise, nobody could leave the
 * object out, and a recursive schema would produce endless fields.
 */
export function ObjectField(props: FieldProps) {
  const { form, schema, path, name, value, onChange, isRequired, isRoot, Field } = props;
  const { properties = {}, required = [] } = schema;
  if (!isObject(value) && !isRequired && !isRoot)
    return (
      <Group {...props}>
        <Button onClick={() => onChange(initialValue(schema, form.schema))}>Add {name}</Button>
      </Group>
    );
  const fields = isObject(value) ? value : {};
  const change = (key: string, next: unknown) => {
    const { [key]: _, ...rest } = fields;
    onChange(next === undefined ? rest : { ...fields, [key]: next });
  };
  return (
    <Group {...props}>
      <div className="space-y-3">
        {Object.entries(properties).map(([key, property]) => (
          <Field
            Field={Field}
            key={key}
            form={form}
            schema={property}
            path={`${path}/${key}`}
            name={key}
            isRequired={required.includes(key)}
            value={fields[key]}
            onChange={(next) => change(key, next)}
          />
        ))}
        {Object.keys(properties).length === 0 && <p className="text-sm text-muted">There is nothing to enter.</p>}
        {!isRequired && !isRoot && (
          <Button kind="quiet" icon="cross" onClick={() => onChange(undefined)}>
            Remove {name}
          </Button>
        )}
      </div>
    </Group>
  );
}

/** A list whose items a person can add and remove. A list of unique words from a fixed set is shown as checkboxes. */
export function ListField(props: FieldProps) {
  const { form, schema, path, name, value, onChange, Field } = props;
  const items = Array.isArray(value) ? value : [];
  const itemSchema = resolve(schema.items as JsonSchema, form.schema);
  if (kindOf(itemSchema) === "choice" && schema.uniqueItems) return <SetField {...props} schema={itemSchema} value={items} />;
  const isFull = schema.maxItems !== undefined && items.length >= schema.maxItems;
  return (
    <Group {...props}>
      <ol className="space-y-2">
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place is all that an item is known by
          <li key={`${items.length}-${index}`} className="flex items-start gap-1">
            <div className="min-w-0 flex-1">
              <Field
                Field={Field}
                form={form}
                schema={itemSchema}
                path={`${path}/${index}`}
                name={`${name} ${index + 1}`}
                isRequired
                isItem
                value={item}
                onChange={(next) => onChange(items.with(index, next))}
              />
            </div>
            <IconButton icon="trash" label={`Remove ${name} ${index + 1}`} onClick={() => onChange(items.toSpliced(index, 1))} />
          </li>
        ))}
      </ol>
      <Button
        className={items.length > 0 ? "mt-2" : ""}
        disabled={isFull}
        onClick={() => onChange([...items, initialValue(itemSchema, form.schema) ?? emptyOf(itemSchema)])}
      >
        Add {items.length === 0 ? name : "another"}
      </Button>
    </Group>
  );
}

/** The value of a new item of a list: an empty text, or null for any other kind. JSON lists cannot contain undefined. */
const emptyOf = (schema: JsonSchema) => (kindOf(schema) === "string" ? "" : null);

function SetField(props: FieldProps & { value: unknown[] }) {
  const { schema, value, onChange } = props;
  return (
    <Group {...props}>
      <div className="flex flex-wrap gap-x-4 gap-y-1.5">
        {choicesOf(schema).map((choice) => (
          <Checkbox
            key={String(choice)}
            label={String(choice)}
            checked={value.includes(choice)}
            onChange={(isOn) => onChange(isOn ? [...value, choice] : value.filter((one) => one !== choice))}
          />
        ))}
      </div>
    </Group>
  );
}

/** A field for a value of the kind "any", which is entered as JSON. */
export function AnyField(props: FieldProps) {
  const { value, onChange } = props;
  const [text] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const { label, onBlur } = aroundOf(props);
  return (
    <Group {...props}>
      <div role="group" aria-label={label} onBlur={onBlur}>
        <CodeEditor label={label} value={text} onChange={(next) => onChange(readJson(next))} />
      </div>
    </Group>
  );
}

function readJson(text: string): unknown {
  try {
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch {
    return new BrokenJson(text);
  }
}
