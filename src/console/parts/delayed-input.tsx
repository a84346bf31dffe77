import { useEffect, useRef, useState } from "react";
import { Input } from "./field.tsx";

interface Props {
  label: string;
  value: string;
  error?: string | undefined;
  onChange: (value: string) => void;
  className?: string;
}

/** A field for a search text. The text takes effect when the person stops typing, because each change starts a search. */
export function DelayedInput({ label, value, error, onChange, className }: Props) {
  const [text, setText] = useState(value);
  const change = useRef(onChange);
  change.current = onChange;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => change.current(text), 350);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <Input
      label={label}
      isLabelHidden
      type="search"
      placeholder={label}
      value={text}
      error={error}
      className={className}
      onChange={({ target }) => setText(target.value)}
    />
  );
}
