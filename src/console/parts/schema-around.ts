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
  /**
   * True for the outermost field, which holds the whole value of the form. This field hides its name, because the form already has a title.
   */
  isRoot?: boolean;
  /** True for an item of a list. The name of an item is hidden on the page, and only screen readers read it. */
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
