import { useEffect, useRef } from "react";
import { Dialog } from "../../parts/dialog.tsx";

export const keys: [keys: string[], what: string][] = [
  [["j", "↓"], "Next question"],
  [["k", "↑"], "Previous question"],
  [["Enter"], "Go to the answer"],
  [["a"], "Approve"],
  [["r"], "Reject"],
  [["Ctrl + Enter"], "Send what is entered"],
  [["Esc"], "Back to the list"],
  [["?"], "Show these keys"],
];

export interface Actions {
  next: () => void;
  previous: () => void;
  open: () => void;
  back: () => void;
  help: () => void;
}

const isField = (element: Element | null) =>
  element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));

/** Presses the button in the chosen question that has this shortcut, if there is one. */
const press = (shortcut: string) => document.querySelector<HTMLButtonElement>(`[data-shortcut="${shortcut}"]`)?.click();

/** Listens to the shortcut keys of the inbox. The keys do nothing while a field has the focus or a dialog is open. */
export function useShortcuts(actions: Actions): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const isInField = isField(document.activeElement);
      if (document.querySelector("dialog[open]") || (isInField && event.key !== "Escape")) return;
      const work = workOf(event, current.current);
      if (!work) return;
      event.preventDefault();
      work();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

function workOf({ key, target }: KeyboardEvent, actions: Actions): (() => void) | undefined {
  const isOnButton = target instanceof Element && target.closest("a, button, summary") !== null;
  const all: Record<string, (() => void) | undefined> = {
    j: actions.next,
    ArrowDown: actions.next,
    k: actions.previous,
    ArrowUp: actions.previous,
    Enter: isOnButton ? undefined : actions.open,
    Escape: actions.back,
    a: () => press("a"),
    r: () => press("r"),
    "?": actions.help,
  };
  return all[key];
}

/** A dialog that lists the shortcut keys of the inbox. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys of the inbox" onClose={onClose}>
      <dl className="grid grid-cols-[max-content_1fr] items-center gap-x-6 gap-y-2">
        {keys.map(([names, what]) => (
          <div key={what} className="contents">
            <dt className="flex gap-1.5">
              {names.map((name) => (
                <kbd key={name} className="rounded-sm border border-line bg-sunken px-1.5 py-0.5 font-mono text-xs">
                  {name}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-sm text-muted">The letters do nothing while you type in a field. Press Esc to leave the field.</p>
    </Dialog>
  );
}
