import { useSyncExternalStore } from "react";
import { IconButton } from "./button.tsx";
import { Icon } from "./icons.tsx";

interface Toast {
  id: number;
  text: string;
  isFailure: boolean;
}

const listeners = new Set<() => void>();
let toasts: Toast[] = [];
let lastId = 0;

function set(next: Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

const remove = (id: number) => set(toasts.filter((toast) => toast.id !== id));

/** Shows a message in a corner of the page for 5 seconds. The message of a failure stays until a person closes the message. */
export function tell(text: string, isFailure = false): void {
  const id = ++lastId;
  set([...toasts.slice(-2), { id, text, isFailure }]);
  if (!isFailure) setTimeout(() => remove(id), 5_000);
}

/** The corner in which the messages of `tell` are shown. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed right-4 bottom-4 left-4 z-50 flex flex-col items-end gap-2">
      {shown.map(({ id, text, isFailure }) => (
        <div
          key={id}
          className="pointer-events-auto flex max-w-md items-start gap-2 rounded-lg border border-line bg-surface py-2 pr-2 pl-3 [box-shadow:var(--shadow)]"
        >
          <Icon name={isFailure ? "warning" : "check"} className={`mt-1.5 ${isFailure ? "text-bad" : "text-good"}`} />
          <p className="min-w-0 flex-1 py-1 break-words">{text}</p>
          <IconButton icon="cross" label="Close" onClick={() => remove(id)} />
        </div>
      ))}
    </div>
  );
}
