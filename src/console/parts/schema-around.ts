import type { ComponentType } from "react";
import type { JsonSchema } from "./json-schema.ts";
import type { SchemaFormState } from "./use-schema-form.ts";

/** The properties of a field of a form. */
export interface FieldProps {
  form: SchemaFormState;
  schema: JsonSchema;
  /** The place of the field in the value, as a JSON pointer. */
  path: string;
  name: string;
  isRequired: boolean;
  /** True for the whole value, whose name stands above the form already. */
  isRoot?: boolean;
  /** True for an item of a list. Its name is only for screen readers. */
  isItem?: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
  /** Draws the fields inside this one. A field may contain fields of every kind, so it gets what draws them. */
  Field: ComponentType<FieldProps>;
}

/** The parts of a form around a control. */
interface Around {
  label: string;
  isLabelHidden: boolean;
  hint: string | undefined;
  error: string | undefined;
  onBlur: () => void;
}

export function aroundOf({ form, schema, path, name, isRequired, isRoot = false, isItem = false }: FieldProps): Around {
  const label = schema.title ?? name;
  return {
    label: isRequired || isRoot ? label : `${label} (optional)`,
    isLabelHidden: isRoot || isItem,
    hint: schema.description,
    error: form.isShown(path) ? form.problems.get(path) : undefined,
    onBlur: () => form.leave(path),
  };
}
