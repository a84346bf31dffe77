import { useSyncExternalStore } from "react";

/** Returns whether a media query matches, and renders again when that changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Returns whether there is room for tables. Below it, rows become cards. */
export const useIsWide = (): boolean => useMedia("(min-width: 48rem)");
