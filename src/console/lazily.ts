import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { whenUp } from "./connection.ts";

const key = "ensemble.reloaded";
/**
 * The minimum time between two reloads, in milliseconds. If loading fails again within this time, the error is thrown, because another
 * reload would not help.
 */
const loopMs = 10_000;

/**
 * Returns a component that is loaded when it is first shown. Loading fails if the service does not answer, or if a new release has replaced
 * the files of this page. The component then waits for the service and reloads the whole page.
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
  return new Promise(() => {}); // never resolves, because the page is being reloaded
}
