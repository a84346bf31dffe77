import { useState } from "react";
import { variantOf } from "./check-value.ts";
import { Checkbox, Select } from "./field.tsx";
import { choicesOf, initialValue, isObject, kindOf, nameOfVariant, resolve, variantsOf } from "./json-schema.ts";
import { aroundOf, type FieldProps } from "./schema-around.ts";
import { AnyField, ListField, ObjectField } from "./schema-groups.tsx";
import { NumberField, TextField } from "./schema-inputs.tsx";

/** Draws one field of a form, and the fields inside it. */
export function SchemaField(given: FieldProps) {
  const props = { ...given, schema: resolve(given.schema, given.form.schema) };
  switch (kindOf(props.schema)) {
    case "string":
      return <TextField {...props} />;
    case "number":
    case "integer":
      return <NumberField {...props} />;
    case "boolean":
      return <BooleanField {...props} />;
    case "choice":
      return <ChoiceField {...props} />;
    case "variants":
      return <VariantsField {...props} />;
    case "object":
      return <ObjectField {...props} />;
    case "array":
      return <ListField {...props} />;
    case "null":
      return null;
    default:
      return <AnyField {...props} />;
  }
}

function BooleanField(props: FieldProps) {
  const { label, hint, error } = aroundOf(props);
  return (
    <div>
      <Checkbox label={label} checked={props.value === true} onChange={props.onChange} />
      {(error ?? hint) !== undefined && <p className={`mt-0.5 pl-5.5 text-xs ${error ? "text-bad" : "text-muted"}`}>{error ?? hint}</p>}
    </div>
  );
}

const textOf = (choice: unknown) => (typeof choice === "string" ? choice : JSON.stringify(choice));

function ChoiceField(props: FieldProps) {
  const choices = choicesOf(props.schema);
  const { onBlur, ...around } = aroundOf(props);
  if (choices.length === 1 && props.isRequired) return null; // if only one value is allowed, a person has nothing to choose
  const chosen = choices.findIndex((choice) => JSON.stringify(choice) === JSON.stringify(props.value));
  const nothing = { value: "-1", label: props.isRequired ? "Choose …" : "–" };
  return (
    <Select
      {...around}
      value={String(chosen)}
      options={[nothing, ...choices.map((choice, index) => ({ value: String(index), label: textOf(choice) }))]}
      onChange={(index) => props.onChange(index === "-1" ? undefined : choices[Number(index)])}
      onBlur={onBlur}
    />
  );
}

/** A field for a value with alternatives. A person chooses the alternative, and its fields are shown below. */
function VariantsField(props: FieldProps) {
  const { form, schema, path, value, onChange } = props;
  const variants = variantsOf(schema, form.schema) ?? [];
  const [chosen, setChosen] = useState(() => (value === undefined ? 0 : variantOf(variants, form.schema, value)));
  const variant = variants[chosen] ?? {};
  const { onBlur, error, ...around } = aroundOf(props);
  const needsName = isObject(variant) && !["object", "null"].includes(kindOf(resolve(variant, form.schema)));
  return (
    <div>
      <Select
        {...around}
        isLabelHidden={false}
        value={String(chosen)}
        options={variants.map((one, index) => ({ value: String(index), label: nameOfVariant(one, form.schema) }))}
        onChange={(index) => {
          setChosen(Number(index));
          onChange(initialValue(variants[Number(index)] ?? {}, form.schema));
        }}
      />
      <div className={`mt-2 ${needsName ? "" : "border-l-2 border-line pl-3"}`}>
        <SchemaField
          Field={SchemaField}
          key={chosen}
          {...{ form, path, value, onChange }}
          schema={variant}
          name={around.label}
          isRequired
          isRoot
        />
      </div>
    </div>
  );
}
