import { type ReactNode, useId } from "react";

interface Option<Value extends string> {
  value: Value;
  label: string;
  text: ReactNode;
}

interface Props<Value extends string> {
  legend: string;
  options: Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

/** A group of radio buttons. Each option has a sentence about its effect. */
export function Choice<Value extends string>({ legend, options, value, onChange }: Props<Value>) {
  const name = useId();
  return (
    <fieldset className="space-y-2">
      <legend className="sr-only">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={`flex items-start gap-2.5 rounded-md border px-3 py-2 ${option.value === value ? "border-accent bg-accent-soft" : "border-line hover:border-line-strong"}`}
        >
          <input
            type="radio"
            name={name}
            className="mt-1 accent-accent"
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span className="min-w-0">
            <span className="block font-medium">{option.label}</span>
            <span className="block text-sm text-muted">{option.text}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
