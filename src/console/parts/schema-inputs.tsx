import { useState } from "react";
import { Input, TextArea } from "./field.tsx";
import type { JsonSchema } from "./json-schema.ts";
import { aroundOf, type FieldProps } from "./schema-around.ts";

const inputTypes: Record<string, string> = { email: "email", uri: "url", url: "url", date: "date", time: "time", password: "password" };

/**
 * Tells whether a text field has several lines, because its text may be long. If the form consists of a single text, the text is usually
 * long.
 */
function isLong({ format, maxLength, enum: choices }: JsonSchema, value: unknown, isRoot: boolean): boolean {
  if (format !== undefined && format in inputTypes) return false;
  if (format === "textarea" || format === "markdown" || format === "multi-line") return true;
  if (typeof value === "string" && (value.includes("\n") || value.length > 80)) return true;
  return choices === undefined && (maxLength === undefined ? isRoot : maxLength > 200);
}

/** A field for a text. An empty text counts as no value. */
export function TextField(props: FieldProps) {
  const { schema, value, onChange, isRequired, isRoot = false } = props;
  const [wasLong] = useState(isLong(schema, value, isRoot)); // set only once, because the kind of field must not change during typing
  const common = {
    ...aroundOf(props),
    required: isRequired,
    value: value === undefined || value === null ? "" : String(value),
    onChange: ({ target }: { target: { value: string } }) => onChange(target.value === "" ? undefined : target.value),
  };
  if (wasLong) return <TextArea rows={3} className="[&_textarea]:field-sizing-content [&_textarea]:max-h-96" {...common} />;
  return <Input type={inputTypes[schema.format ?? ""] ?? "text"} {...common} />;
}

/**
 * A field for a number. If the entered text is not a number, the value is this text. The person thus still sees it, and the validation of
 * the form reports it.
 */
export function NumberField(props: FieldProps) {
  const { schema, value, onChange, isRequired } = props;
  const { minimum, maximum } = schema;
  const around = aroundOf(props);
  const range = minimum !== undefined && maximum !== undefined ? `Between ${minimum} and ${maximum}.` : undefined;
  const hint = [around.hint?.replace(/([^.!?])$/, "$1."), range].filter(Boolean).join(" ");
  return (
    <Input
      {...around}
      {...(hint && { hint })}
      inputMode="decimal"
      required={isRequired}
      value={value === undefined || value === null ? "" : String(value)}
      onChange={({ target }) => onChange(numberIn(target.value))}
    />
  );
}

/**
 * Returns a number if JavaScript would write that number exactly like the text. Otherwise returns the text itself, because "1." or "1e" may
 * be the beginning of a number.
 */
function numberIn(text: string): unknown {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  return String(number) === text.trim() ? number : text;
}
