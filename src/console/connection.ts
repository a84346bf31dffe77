import { useSyncExternalStore } from "react";
import { consolePath } from "./boot.ts";

const listeners = new Set<() => void>();
let isDown = false;
let restored: () => void = () => {};
let waiting: Promise<void> | undefined;

/** Milliseconds between two attempts to reach a service that does not answer. */
const everyMs = 1_500;

/** Returns true while the service does not answer. Renders the component again when this changes. */
export const useIsDown = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isDown,
  );

/** Sets the function that is called when the service answers again. */
export function onRestored(work: () => void): void {
  restored = work;
}

/** Records that a request got no answer. Then sends further requests until the service answers. */
export function reportLost(): void {
  if (!isDown) void whenUp();
}

/** Resolves when the service answers. As long as it does not answer, the page shows a banner. */
export function whenUp(): Promise<void> {
  waiting ??= ask().finally(() => {
    waiting = undefined;
  });
  return waiting;
}

async function ask(): Promise<void> {
  while (!(await fetch(`${consolePath}/config.json`, { cache: "no-store" }).catch(() => undefined))?.ok) {
    set(true);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  if (!isDown) return;
  set(false);
  restored();
}

function set(down: boolean): void {
  isDown = down;
  for (const listener of listeners) listener();
}
