import { type RefObject, useEffect, useRef } from "react";

/** Brings the first field with a problem into view and puts the cursor there, each time `trigger` changes. Give the result to the form. */
export function useFirstProblem(trigger: unknown): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (trigger) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [trigger]);
  return form;
}
