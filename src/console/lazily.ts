import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { whenUp } from "./connection.ts";

const key = "ensemble.reloaded";
/** Two reloads within this time would be a loop, in milliseconds. */
const loopMs = 10_000;

/**
 * Returns a component that loads when it is first shown. If its file cannot be loaded, the service does not answer, or it was replaced by
 * a release with other files. Then this waits for the service and loads the whole page again.
 */
// biome-ignore lint/suspicious/noExplicitAny: a component may have any properties
export function lazily<Part extends ComponentType<any>>(load: () => Promise<{ default: Part }>): LazyExoticComponent<Part> {
  return lazy(() => load().catch(reloadWhenUp));
}

async function reloadWhenUp(error: unknown): Promise<never> {
  await whenUp();
  if (Date.now() - Number(sessionStorage.getItem(key) ?? 0) < loopMs) throw error;
  sessionStorage.setItem(key, String(Date.now()));
  location.reload();
  return new Promise(() => {}); // the page goes away
}
