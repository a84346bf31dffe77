import { useSyncExternalStore } from "react";
import { consolePath } from "./boot.ts";

const listeners = new Set<() => void>();
let isDown = false;
let restored: () => void = () => {};

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
  if (isDown) return;
  set(true);
  const ask = async () => {
    const answer = await fetch(`${consolePath}/config.json`, { cache: "no-store" }).catch(() => undefined);
    if (answer?.ok) {
      set(false);
      restored();
    } else setTimeout(ask, everyMs);
  };
  setTimeout(ask, everyMs);
}

function set(down: boolean): void {
  isDown = down;
  for (const listener of listeners) listener();
}
