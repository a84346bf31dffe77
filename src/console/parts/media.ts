import { useSyncExternalStore } from "react";

/** Tells whether a media query matches. The component is rendered again when the result changes. */
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

/** Tells whether the screen is wide enough for tables. On a narrower screen, rows are shown as cards. */
export const useIsWide = (): boolean => useMedia("(min-width: 48rem)");
