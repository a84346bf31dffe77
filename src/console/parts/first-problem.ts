import { type RefObject, useEffect, useRef } from "react";

/** Scrolls to the first field with a problem and focuses it, each time `trigger` changes. Pass the returned ref to the form. */
export function useFirstProblem(trigger: unknown): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (trigger) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [trigger]);
  return form;
}
