import { useState } from "react";
import { Input, TextArea } from "./field.tsx";
import type { JsonSchema } from "./json-schema.ts";
import { aroundOf, type FieldProps } from "./schema-around.ts";

const inputTypes: Record<string, string> = { email: "email", uri: "url", url: "url", date: "date", time: "time", password: "password" };

/** A text is entered in several lines if it may be long. A whole value that is a text usually is. */
function isLong({ format, maxLength, enum: choices }: JsonSchema, value: unknown, isRoot: boolean): boolean {
  if (format !== undefined && format in inputTypes) return false;
  if (format === "textarea" || format === "markdown" || format === "multi-line") return true;
  if (typeof value === "string" && (value.includes("\n") || value.length > 80)) return true;
  return choices === undefined && (maxLength === undefined ? isRoot : maxLength > 200);
}

/** A text. An empty one counts as not entered. */
export function TextField(props: FieldProps) {
  const { schema, value, onChange, isRequired, isRoot = false } = props;
  const [wasLong] = useState(isLong(schema, value, isRoot)); // a field must not change while one types
  const common = {
    ...aroundOf(props),
    required: isRequired,
    value: value === undefined || value === null ? "" : String(value),
    onChange: ({ target }: { target: { value: string } }) => onChange(target.value === "" ? undefined : target.value),
  };
  if (wasLong) return <TextArea rows={3} className="[&_textarea]:field-sizing-content [&_textarea]:max-h-96" {...common} />;
  return <Input type={inputTypes[schema.format ?? ""] ?? "text"} {...common} />;
}

/** A number. What is not a number yet stays as text, so that one can see it and the check can name it. */
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

/** Returns the number that a text is exactly. "1." and "1e" are on the way to one and stay texts. */
function numberIn(text: string): unknown {
  if (text.trim() === "") return undefined;
  const number = Number(text);
  return String(number) === text.trim() ? number : text;
}
