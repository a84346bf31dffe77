import type { ComponentType } from "react";
import type { JsonSchema } from "./json-schema.ts";
import type { SchemaFormState } from "./use-schema-form.ts";

/** The properties of a field in a form. */
export interface FieldProps {
  form: SchemaFormState;
  schema: JsonSchema;
  /** The JSON pointer of the field in the value of the form. */
  path: string;
  name: string;
  isRequired: boolean;
  /** True for the field of the form's whole value. The form already shows the name of this field. */
  isRoot?: boolean;
  /** True for an item of a list. Only screen readers read the name of an item. */
  isItem?: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
  /**
   * The component that draws the fields inside this field. It is passed as a property, because a field may contain fields of every kind.
   */
  Field: ComponentType<FieldProps>;
}

/** The label, hint and problem of a field, which are drawn around its control. */
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
