import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes, useId } from "react";

const control =
  "h-8 w-full min-w-0 rounded-md border border-line bg-surface px-2.5 text-sm text-text placeholder:text-muted hover:border-line-strong aria-[invalid=true]:border-bad";

interface Around {
  label: string;
  /** Whether the label is visually hidden. Screen readers still read it. */
  isLabelHidden?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
  className?: string | undefined;
}

type Wiring = { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean };

/** A control with a label above it, and a hint or the problem of its value below it. */
export function Field({
  label,
  isLabelHidden,
  hint,
  error,
  className = "",
  children,
}: Around & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className={isLabelHidden ? "sr-only" : "mb-1 block text-sm font-medium"}>
        {label}
      </label>
      {children({
        id,
        ...(note !== undefined && { "aria-describedby": `${id}-note` }),
        ...(error !== undefined && { "aria-invalid": true }),
      })}
      {note !== undefined && (
        <p id={`${id}-note`} className={`mt-1 text-xs ${error === undefined ? "text-muted" : "text-bad"}`}>
          {note}
        </p>
      )}
    </div>
  );
}

/** A field for a single line of text. */
export function Input({ label, isLabelHidden, hint, error, className, ...more }: Around & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field {...{ label, isLabelHidden, hint, error, className }}>
      {(wiring) => <input type="text" autoComplete="off" spellCheck={false} className={control} {...wiring} {...more} />}
    </Field>
  );
}

/** A field for several lines of text. */
export function TextArea({ label, isLabelHidden, hint, error, className, ...more }: Around & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field {...{ label, isLabelHidden, hint, error, className }}>
      {(wiring) => <textarea spellCheck={false} className={`${control} h-auto min-h-20 py-1.5`} {...wiring} {...more} />}
    </Field>
  );
}

interface SelectProps extends Around, Omit<SelectHTMLAttributes<HTMLSelectElement>, "onChange"> {
  options: { value: string; label: string }[];
  onChange: (value: string) => void;
}

/** A list from which a person chooses one option. It is the browser's own control, which works with every keyboard and phone. */
export function Select({ label, isLabelHidden, hint, error, className, options, onChange, ...more }: SelectProps) {
  return (
    <Field {...{ label, isLabelHidden, hint, error, className }}>
      {(wiring) => (
        <select className={`${control} pr-1`} onChange={(event) => onChange(event.target.value)} {...wiring} {...more}>
          {options.map(({ value, label: text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckboxProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "type" | "onChange"> {
  label: string;
  isLabelHidden?: boolean;
  /** True if some but not all of the entries are selected. */
  isMixed?: boolean;
  onChange: (isChecked: boolean) => void;
}

export function Checkbox({ label, isLabelHidden, isMixed = false, onChange, className = "", ...more }: CheckboxProps) {
  return (
    <label className={`inline-flex items-center gap-2 text-sm ${className}`}>
      <input
        type="checkbox"
        className="size-3.5 accent-accent"
        ref={(input) => {
          if (input) input.indeterminate = isMixed;
        }}
        onChange={(event) => onChange(event.target.checked)}
        {...more}
      />
      <span className={isLabelHidden ? "sr-only" : ""}>{label}</span>
    </label>
  );
}
