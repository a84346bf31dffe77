import { useSyncExternalStore } from "react";
import { consolePath } from "./boot.ts";

const listeners = new Set<() => void>();
let isDown = false;
let restored: () => void = () => {};
let waiting: Promise<void> | undefined;

/** How often the service is asked whether it answers again, in milliseconds. */
const everyMs = 1_500;

/** Returns whether the service has stopped answering. */
export const useIsDown = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isDown,
  );

/** Sets what happens when the service answers again. */
export function onRestored(work: () => void): void {
  restored = work;
}

/** Notes that a request got no answer. Asks until the service answers. */
export function reportLost(): void {
  if (!isDown) void whenUp();
}

/** Resolves when the service answers. If it does not, the banner is shown until it does. */
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
