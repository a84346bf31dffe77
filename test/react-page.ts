import { createElement } from "react";
import { create } from "react-test-renderer";
import { onTestFinished, vi } from "vitest";

/** Runs a React hook as a page would. `now` is what the hook returned last. */
export function mount<T>(use: () => T): { readonly now: T } {
  let latest: T | undefined;
  const Page = () => {
    latest = use();
    return null;
  };
  vi.spyOn(console, "error").mockImplementation(() => {}); // React would rather have a browser
  const page = create(createElement(Page));
  onTestFinished(() => {
    page.unmount();
    vi.restoreAllMocks();
  });
  return {
    get now() {
      if (latest === undefined) throw new Error("The page was not drawn yet.");
      return latest;
    },
  };
}
